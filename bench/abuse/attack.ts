import { setTimeout as delay } from 'node:timers/promises'
import { createClient, type Ask, type ClientOptions } from './http.ts'

/** What an attack has: where, until when, and whom it tells what it got. */
export interface Target {
  url: string
  signal: AbortSignal
  /** `200`, `429`, `ECONNRESET` … */
  got(what: string): void
}

export type Attack<Plan> = (target: Target, plan: Plan) => Promise<void>

export interface Hammer extends ClientOptions {
  perSecond: number
  request: (nth: number) => [method: string, path: string, options?: Ask]
}

/**
 * Requests at this rate, whether or not the last ones were answered, at most as many at once as there are connections.
 * The rate is bounded, so that the attacker's own use of the processor is not what the innocent suffer from.
 */
export async function hammer(
  { url, signal, got }: Target,
  { perSecond, request, ...options }: Hammer,
): Promise<void> {
  const client = createClient(url, options)
  signal.addEventListener('abort', () => void client.close())
  const ask = async (method: string, path: string, options?: Ask) => {
    got('sent')
    underWay += 1
    const { status, body } = await client.ask(method, path, options)
    underWay -= 1
    if (!signal.aborted) got(status === 0 ? String(body) : String(status))
  }
  const startedAt = performance.now()
  let [sent, underWay] = [0, 0]
  while (!signal.aborted) {
    const due = ((performance.now() - startedAt) / 1000) * perSecond
    while (sent < due && underWay < options.connections && !signal.aborted) void ask(...request((sent += 1)))
    // What could not begin in time is not made up for.
    sent = Math.max(sent, Math.floor(due) - perSecond)
    await delay(5)
  }
}

export const addresses = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, nth) => `127.0.${first}.${nth + 1}`)
