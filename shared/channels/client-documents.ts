import type { ClientDocuments } from '../app/auth/ports.ts'
import type { Clock } from '../app/ports.ts'
import { MINUTE_MS } from '../domain/durations.ts'
import { DomainError } from '../domain/errors.ts'
import { createLru } from '../domain/lru.ts'
import { OutboundError, type SafeFetch } from './safe-fetch.ts'

const REMEMBERED = 1000
const REMEMBER_MS = 10 * MINUTE_MS
/** Where there was none, so that nobody has us ask again and again. */
const REMEMBER_NONE_MS = MINUTE_MS
/** Of a process. Anybody can have us read one. */
const MAX_AT_ONCE = 8

/** Documents of programs, read as anything that users name, a few at once, and remembered for ten minutes. */
export function createClientDocuments(
  { get, objection }: Pick<SafeFetch, 'get' | 'objection'>,
  clock: Clock,
): ClientDocuments {
  let reading = 0
  const remembered = createLru<{ text: string | null; untilMs: number }>(REMEMBERED)

  async function readFrom(url: string): Promise<string | null> {
    try {
      const { status, body } = await get(url, { accept: 'application/json' })
      return status === 200 ? body : null
    } catch (error) {
      if (error instanceof OutboundError) return null
      throw error
    }
  }

  return {
    objection,
    async read(url) {
      const nowMs = clock.now().getTime()
      const known = remembered.get(url)
      if (known && known.untilMs > nowMs) return known.text
      if (reading >= MAX_AT_ONCE) {
        throw new DomainError('service.unavailable', 'Too many programs ask at once; try again.', {
          retryAfterSeconds: 2,
        })
      }
      reading += 1
      const text = await readFrom(url).finally(() => (reading -= 1))
      remembered.set(url, { text, untilMs: nowMs + (text === null ? REMEMBER_NONE_MS : REMEMBER_MS) })
      return text
    },
  }
}
