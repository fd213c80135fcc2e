import { secondsUntil } from '../../domain/auth/identity-throttle.ts'
import { DomainError } from '../../domain/errors.ts'
import { countMessage } from '../notifications/limits/count-messages.ts'
import type { Deps } from '../ports.ts'

/** Of one user in an hour: each reads all that there is of them. */
const MAX_WHOLE_READS = 20

/** Counts a reading of a whole trail; refuses one too many. */
export async function limitReading(deps: Pick<Deps, 'identity'>, userId: string, now: Date): Promise<void> {
  const limit = { name: `audit ${userId}`, most: MAX_WHOLE_READS, userId }
  const refusedUntil = await countMessage(deps, limit, now)
  if (!refusedUntil) return
  const message = `At most ${MAX_WHOLE_READS} audit trails are exported or verified in an hour.`
  const retryAfterSeconds = secondsUntil(refusedUntil, now)
  throw new DomainError('rate_limit.exceeded', message, { retryAfterSeconds, limit: MAX_WHOLE_READS })
}
