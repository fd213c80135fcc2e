import { chainEntries } from '../../domain/audit/entry.ts'
import type { Deps } from '../ports.ts'

type Recording = Pick<Deps, 'auditTrail' | 'ids'>

const SALT_BYTES = 32

/**
 * Makes an entry of each event of a user that has none yet, in their order. The log decides what there is to record: a
 * message only says that there is something. What is left after so many rounds, the next message or the sweep records.
 */
export async function recordAudit(
  { auditTrail, ids }: Recording,
  userId: string,
  rounds = Infinity,
): Promise<void> {
  const salt = () => Buffer.from(ids.hex(SALT_BYTES), 'hex')
  for (let left = rounds; left > 0; left -= 1) {
    if (!(await auditTrail.extend(userId, (head, events) => chainEntries(head, events, salt)))) return
  }
}

const PAGE = 500
const SIDE_BY_SIDE = 32

/** Records what no message has told of: it was lost, or is older than the trail. */
export async function recordMissed(deps: Recording): Promise<void> {
  let after: string | null = null
  do {
    const page = await deps.auditTrail.behind(after, PAGE)
    for (let at = 0; at < page.length; at += SIDE_BY_SIDE) {
      await Promise.all(page.slice(at, at + SIDE_BY_SIDE).map((userId) => recordAudit(deps, userId)))
    }
    after = page.length < PAGE ? null : page.at(-1)!
  } while (after !== null)
}
