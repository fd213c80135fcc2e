import { setTimeout as delay } from 'node:timers/promises'
import { systemIds } from '../../shared/kit/system.ts'
import type { Command } from '../faults/commands.ts'
import type { Report } from '../faults/client.ts'
import type { Random } from '../faults/random.ts'

/** One account and everything that was done with it. */
export interface Person {
  id: string
  readonly email: string
  token: string
  readonly reports: Report[]
  /** Answers that said success and broke off, or came without the body that belongs to them. */
  readonly hollow: string[]
  /** How long each command took with all its attempts, in ms. */
  readonly waits: number[]
}

/** A client gives up an attempt after this; the server may go on with it. */
const PATIENCE_MS = 15_000
const IMPATIENCE_MS = 150
const PAUSE_MS = 200
/** No disturbance of the plan lasts that long, so who still has no answer then was forgotten. */
const ANSWERED_WITHIN_MS = 150_000
const PASSWORD = 'correct horse battery staple'

interface Answer {
  status: number
  text: string
  attempts: number
  /** An attempt ended without a final answer, so it may still be under way somewhere. */
  mayStillRun: boolean
}

interface Request {
  method: string
  path: string
  headers?: Record<string, string>
  body?: object
  /** Ends the first attempt early, as an impatient person does. */
  isImpatient?: boolean
}

/** Thrown when a request got no final answer, however often it was sent. */
class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

/** Asks until there is a final answer: again when the connection breaks, the server fails, or the first attempt still runs. */
export async function ask(url: string, person: Person | null, request: Request): Promise<Answer> {
  const end = Date.now() + ANSWERED_WITHIN_MS
  let mayStillRun = false
  let last = ''
  let hasSignedIn = false
  for (let attempts = 1; Date.now() < end; attempts += 1) {
    const patience = request.isImpatient && attempts === 1 ? IMPATIENCE_MS : PATIENCE_MS
    try {
      const answer = await send(url, person, request, patience)
      if (answer.status === 401 && person && !hasSignedIn) {
        hasSignedIn = true
        await signIn(url, person)
        continue
      }
      const isHollow = answer.status < 300 && answer.status !== 204 && !isJson(answer.text)
      if (isHollow)
        person?.hollow.push(`${request.method} ${request.path}: ${answer.status} '${answer.text}'`)
      const isFinal = answer.status < 500 && answer.status !== 429 && !answer.text.includes('in_flight')
      if (isFinal && !isHollow) return { ...answer, attempts, mayStillRun }
      last = `${answer.status} ${answer.text}`
    } catch (error) {
      if (!isNetworkError(error)) throw error
      last = String(error)
    }
    mayStillRun = true
    await delay(PAUSE_MS)
  }
  throw new Unanswered(`${request.method} ${request.path}: ${last}`)
}

async function send(
  url: string,
  person: Person | null,
  { method, path, headers, body }: Request,
  patienceMs: number,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(person && { authorization: `Bearer ${person.token}` }),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(patienceMs),
  })
  return { status: answer.status, text: await answer.text() }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What `fetch` throws when a connection breaks or a deadline passes. */
const isNetworkError = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')

export async function register(url: string, email: string): Promise<Person> {
  const { text } = await ask(url, null, {
    method: 'POST',
    path: '/api/auth/register',
    body: { email, password: PASSWORD },
  })
  const { access_token: token, user } = JSON.parse(text) as { access_token: string; user: { id: string } }
  return { id: user.id, email, token, reports: [], hollow: [], waits: [] }
}

async function signIn(url: string, person: Person): Promise<void> {
  const body = { email: person.email, password: PASSWORD }
  const { status, text } = await ask(url, null, { method: 'POST', path: '/api/auth/login', body })
  if (status === 200) person.token = (JSON.parse(text) as { access_token: string }).access_token
}

/**
 * Carries a command out as a careful client does, with one Idempotency-Key for all attempts, and writes down what it was
 * told. Now and then it is impatient, and now and then asks again for an answer that it has.
 */
export async function carryOut(
  url: string,
  person: Person,
  command: Command,
  random: Random,
): Promise<Report> {
  const traceId = systemIds.hex(16)
  const { method, path, body, ifMatch } = command
  const request: Request = {
    method,
    path,
    ...(body && { body }),
    isImpatient: random.chance(0.05),
    headers: {
      'idempotency-key': systemIds.uuid(),
      traceparent: `00-${traceId}-${systemIds.hex(8)}-01`,
      ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
    },
  }
  const report: Report = { command, traceId, outcome: 'unknown', status: 0, answers: [] }
  person.reports.push(report)
  const asksAgain = random.chance(0.1)
  const begunAt = performance.now()
  try {
    const first = await ask(url, person, request)
    person.waits.push(performance.now() - begunAt)
    report.status = first.status
    report.outcome = first.status < 300 ? 'accepted' : first.mayStillRun ? 'unknown' : 'refused'
    if (report.outcome !== 'accepted') return report
    report.answers.push(first.text)
    if (first.attempts > 1 || asksAgain) {
      const { isImpatient: _, ...again } = request
      report.answers.push((await ask(url, person, again)).text)
    }
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    // The oracle finds status 0.
  }
  return report
}
