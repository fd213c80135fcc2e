import { DomainError } from '../domain/errors.ts'
import type { ChangeStore, Deps } from './ports.ts'

/**
 * Runs load–decide–commit again, `attempts` times at most, as long as another write came in between. Resolves to `conflict`
 * when the last attempt collides, too.
 */
export async function retryOnConflict<T>(
  attempts: number,
  work: (attempt: number) => Promise<T | 'conflict'>,
): Promise<T | 'conflict'> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const result = await work(attempt)
    if (result !== 'conflict') return result
  }
  return 'conflict'
}

/**
 * Runs load–decide–commit without a lock, and after a conflict once more with the user's other writes held back, so that it
 * cannot lose twice. A decision that rests on more rows than it changes holds them back from the beginning (`isExclusive`).
 */
export async function retryExclusively<T>(
  { changes, publishing }: Pick<Deps, 'changes' | 'publishing'>,
  userId: string,
  work: (store: ChangeStore) => Promise<T | 'conflict'>,
  { isExclusive = false }: { isExclusive?: boolean } = {},
): Promise<T> {
  const attempts = isExclusive ? 1 : 2
  const result = await retryOnConflict(attempts, async (attempt) => {
    if (attempt < attempts) return work(changes)
    const last = await changes.exclusively(userId, work)
    // What woke the publisher within the transaction woke it too early to see the events.
    publishing.wake()
    return last
  })
  if (result !== 'conflict') return result
  throw new DomainError(
    'request.conflict',
    'This conflicts with a concurrent change, or with an occurrence that has taken place; load it again first.',
  )
}
