import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { DomainError } from '../domain/errors.ts'
import type { Deps } from './ports.ts'

/** What Daybook stands on, as far as it answers just now. */
export interface Surroundings {
  database: boolean
  sidecar: boolean
}

/** A probe waits no longer than this for an answer; silence counts as a no. */
const DEADLINE_MS = 1000

type Asked = Pick<Deps, 'database' | 'sidecar'>
const asking = new WeakMap<Asked, Promise<Surroundings>>()

/**
 * Asks the database and the sidecar. Never rejects and never takes longer than a second. Callers at the same time share
 * one question, so that probing, however often, is no load.
 */
export function askSurroundings(deps: Asked): Promise<Surroundings> {
  const running = asking.get(deps)
  if (running) return running
  const asked = Promise.all([
    answerInTime(() => deps.database.ping(), false),
    answerInTime(() => deps.sidecar.outbound(), false),
  ])
    .then(([database, sidecar]) => ({ database, sidecar }))
    .finally(() => asking.delete(deps))
  asking.set(deps, asked)
  return asked
}

/** The answer, or `otherwise` when the question fails or takes longer than a second. */
export async function answerInTime<T>(question: () => Promise<T>, otherwise: T): Promise<T> {
  const giveUp = new AbortController()
  const late = delay(DEADLINE_MS, otherwise, { signal: giveUp.signal, ref: false })
  try {
    return await Promise.race([question(), late])
  } catch {
    return otherwise // for a probe the reason does not matter: whoever needs the thing logs why it fails
  } finally {
    late.catch(() => {}) // aborted below, nobody waits for it any more
    giveUp.abort()
  }
}

/** The refusal that names what does not answer, or null when everything needed does. */
export function refusalFor(
  surroundings: Surroundings,
  needed: readonly (keyof Surroundings)[],
): DomainError | null {
  const absent = needed.filter((name) => !surroundings[name])
  if (absent.length === 0) return null
  return new DomainError('service.unavailable', `Not available just now: ${absent.join(', ')}.`, {
    errors: absent.map((name) => ({ path: name, message: 'does not answer' })),
    retryAfterSeconds: 1,
  })
}

export const HealthReport = z
  .object({
    status: z.enum(['available', 'degraded']).describe('degraded: tasks work, events wait for the sidecar'),
    database: z.literal('available'),
    sidecar: z.enum(['available', 'unavailable']),
  })
  .meta({ id: 'HealthReport' })

/** Health in one word, for a Daybook whose database answers. */
export const healthReport = ({ sidecar }: Surroundings): z.infer<typeof HealthReport> => ({
  status: sidecar ? 'available' : 'degraded',
  database: 'available',
  sidecar: sidecar ? 'available' : 'unavailable',
})
