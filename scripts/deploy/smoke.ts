import { setTimeout as delay } from 'node:timers/promises'

const PAUSE_MS = 3000
const ANSWERS_WITHIN_MS = 10_000

/** What a stranger can ask: the edge and its database, and through it two units that may sleep and their sidecars. */
const QUESTIONS = [
  { path: '/readyz', status: 200 },
  { path: '/api/health', status: 200 },
  { path: '/.well-known/jwks.json', status: 200 },
  { path: '/api/tasks', status: 401 },
] as const

/** What of a Daybook does not answer as it should; undefined when everything does. */
export async function faultOf(url: string, send: typeof fetch): Promise<string | undefined> {
  for (const { path, status } of QUESTIONS) {
    try {
      const answer = await send(new URL(path, url), {
        signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
        redirect: 'manual',
      })
      if (answer.status !== status) return `GET ${path} answers ${answer.status} and not ${status}`
    } catch (error) {
      return `GET ${path} gets no answer: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}

/** Asks until nothing is wrong, or time is up: then the last thing that was wrong. */
export async function untilServed(
  ask: () => Promise<string | undefined>,
  patienceMs: number,
  pauseMs = PAUSE_MS,
): Promise<string | undefined> {
  const until = performance.now() + patienceMs
  for (;;) {
    const fault = await ask()
    if (fault === undefined || performance.now() > until) return fault
    await delay(pauseMs)
  }
}
