import { tokenOf } from '../worlds/compose-daybook.ts'
import type { Command } from './commands.ts'
import type { Process } from './process.ts'
import { Killed } from './scheduler.ts'
import type { World } from './world.ts'

/** What a client knows when it is done with a command. */
export interface Report {
  command: Command
  traceId: string
  /** `unknown`: an attempt was left without an answer, so the command was applied once or not at all. */
  outcome: 'accepted' | 'refused' | 'unknown'
  status: number
  /** Every answer of success it got, retries included. They have to be the same. */
  answers: string[]
}

interface Reply {
  status: number
  text: string
}

const MAX_ATTEMPTS = 15
/** Answers are kept for a day, so a careful client asks no longer than that. */
const PATIENCE_MS = 23 * 3_600_000

/**
 * Sends a command as a careful client does: with one Idempotency-Key for all attempts, and again when the answer was
 * lost, the server failed, or the first attempt is still running. Without a key it asks only once.
 */
export async function carryOut(
  world: World,
  command: Command,
  living: () => readonly Process[],
): Promise<Report> {
  const { random, scheduler, ids } = world
  const traceId = ids.hex(16)
  const key = random.chance(0.85) ? ids.uuid() : null
  const report: Report = { command, traceId, outcome: 'unknown', status: 0, answers: [] }
  const headers = {
    authorization: `Bearer ${tokenOf(command.userId)}`,
    traceparent: `00-${traceId}-${ids.hex(8)}-01`,
    ...(command.body && { 'content-type': 'application/json' }),
    ...(key !== null && { 'idempotency-key': key }),
    ...(command.ifMatch !== undefined && { 'if-match': `"${command.ifMatch}"` }),
  }
  const init = {
    method: command.method,
    headers,
    ...(command.body && { body: JSON.stringify(command.body) }),
  }
  const label = `${command.name} ${command.path}`
  const begunAt = world.now
  let mayStillRun = false

  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    await scheduler.gate(null, `client: ${label}, attempt ${attempt}`, () => living().length > 0)
    if (world.now - begunAt > PATIENCE_MS) break
    const asked = await ask(world, random.pick(living()), command.path, init)
    if (asked === 'left') mayStillRun = true
    const reply = typeof asked === 'string' ? null : asked
    const isAnswer = reply && reply.status !== 500 && reply.status !== 503 && !/in_flight/.test(reply.text)
    world.tell(`client: ${label} -> ${reply ? `${reply.status} ${codeOf(reply)}` : 'no answer'}`)
    if (isAnswer) {
      report.status = reply.status
      report.outcome = reply.status < 300 ? 'accepted' : mayStillRun ? 'unknown' : 'refused'
      if (report.outcome !== 'accepted') break
      report.answers.push(reply.text)
      const asksAgain = key !== null && world.injects('lostAnswer')
      if (!asksAgain) break
    } else if (key === null) break
  }
  return report
}

/** The reply; `lost` on the way or because the process dies; `left` when the client does not wait for it any longer. */
async function ask(
  world: World,
  process: Process,
  path: string,
  init: RequestInit,
): Promise<Reply | 'lost' | 'left'> {
  const request = async (): Promise<Reply | 'lost'> => {
    try {
      const answer = await process.request(path, init)
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      if (error instanceof Killed) return 'lost'
      throw error
    }
  }
  const reply = request()
  if (!world.injects('lostAnswer')) return reply
  const impatience = world.scheduler.gate(null, 'client: loses patience').then(() => 'left' as const)
  return Promise.race([reply.then(() => 'lost' as const), impatience])
}

const codeOf = (reply: Reply): string => /"code":"([\w.]+)"/.exec(reply.text)?.[1] ?? ''
