import { DAY_MS } from '../../../domain/durations.ts'
import type { Deps } from '../../ports.ts'

/** Whoever writes the same tables waits for a batch, so it is soon over. */
const BATCH = 500
const PAGE = 100
/** What was under way when an account was deleted may leave something behind it, but not this much later. */
const LOOK_AGAIN_MS = DAY_MS

type Erasing = Pick<Deps, 'accounts'>

/**
 * Removes what is left of deleted accounts, for a day after each was deleted and until there is nothing more. It may be cut off
 * anywhere and run by any number at once: what it removes it looks for by the rows themselves.
 */
export async function eraseAccounts(deps: Erasing & Pick<Deps, 'clock' | 'log'>): Promise<void> {
  const { accounts, clock, log } = deps
  let removed = 0
  let after: string | null = null
  do {
    const page = await accounts.toErase(after, PAGE)
    for (const { userId, deletedAt } of page) {
      removed += await eraseAccount(deps, userId)
      const now = clock.now()
      if (now.getTime() - deletedAt.getTime() > LOOK_AGAIN_MS) await accounts.markErased(userId, now)
    }
    after = page.length < PAGE ? null : page.at(-1)!.userId
  } while (after !== null)
  if (removed > 0) log.info({ removed }, 'removed rows of deleted accounts')
}

/** Removes rows of one account in so many batches, or until there are no more; resolves to how many. */
export async function eraseAccount(
  { accounts }: Erasing,
  userId: string,
  batches = Infinity,
): Promise<number> {
  let removed = 0
  let left = batches
  for (const table of accounts.tables) {
    while (left > 0) {
      const count = await accounts.eraseSome(userId, table, BATCH)
      if (count === 0) break
      removed += count
      left -= 1
    }
  }
  return removed
}
