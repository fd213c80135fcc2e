import { z } from 'zod'
import { DomainError } from '../../domain/errors.ts'
import type { Deps } from '../ports.ts'

export interface DependencyStates {
  database: boolean
  sidecar: boolean
}

/** A probe waits no longer than this for an answer; silence counts as a no. */
const DEADLINE_MS = 1000

type Asked = Pick<Deps, 'database' | 'sidecar' | 'startTimer'>
const asking = new WeakMap<Asked, Promise<DependencyStates>>()

/**
 * Asks the database and the sidecar. Never rejects and never takes longer than a second. Callers at the same time share
 * one question, so that probing, however often, is no load.
 */
export function probeDependencies(deps: Asked): Promise<DependencyStates> {
  const running = asking.get(deps)
  if (running) return running
  const asked = Promise.all([
    answerInTime(deps, () => deps.database.ping(), false),
    answerInTime(deps, () => deps.sidecar.outbound(), false),
  ])
    .then(([database, sidecar]) => ({ database, sidecar }))
    .finally(() => asking.delete(deps))
  asking.set(deps, asked)
  return asked
}

export async function answerInTime<T>(
  { startTimer }: Pick<Deps, 'startTimer'>,
  question: () => Promise<T>,
  otherwise: T,
): Promise<T> {
  const late = Promise.withResolvers<T>()
  const cancel = startTimer(() => late.resolve(otherwise), DEADLINE_MS)
  try {
    return await Promise.race([question(), late.promise])
  } catch {
    return otherwise // for a probe the reason does not matter: whoever needs the thing logs why it fails
  } finally {
    cancel()
  }
}

export function refusalFor(
  states: DependencyStates,
  needed: readonly (keyof DependencyStates)[],
): DomainError | null {
  const absent = needed.filter((name) => !states[name])
  if (absent.length === 0) return null
  return new DomainError('service.unavailable', `Unavailable: ${absent.join(', ')}.`, {
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
export const healthReport = ({ sidecar }: DependencyStates): z.infer<typeof HealthReport> => ({
  status: sidecar ? 'available' : 'degraded',
  database: 'available',
  sidecar: sidecar ? 'available' : 'unavailable',
})
