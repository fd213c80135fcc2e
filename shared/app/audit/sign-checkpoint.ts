import { AuditCheckpointSigned, LOG_USER } from '../../domain/events.ts'
import type { MadeBy } from '../../domain/actor.ts'
import { draftEvent } from '../../domain/draft-event.ts'
import { rootOf, treeLeaf, withLeaf } from '../../domain/audit/merkle.ts'
import { signCheckpoint } from '../../domain/audit/signed-note.ts'
import { systemOrigin } from '../commit-decision.ts'
import type { Deps } from '../ports.ts'
import type { PendingCheckpoint } from './ports.ts'

type Signing = Pick<
  Deps,
  'auditTree' | 'checkpointKeys' | 'checkpointCopies' | 'changes' | 'publishing' | 'clock' | 'ids'
>

/** Of one checkpoint: hashed within some milliseconds. */
const MAX_LEAVES = 2000

/**
 * Signs how far all chains have come, and announces it: to where checkpoints are kept without the database, and on the topic. What
 * was signed and not announced, as by a process that died, is announced with the next.
 */
export async function makeCheckpoint(deps: Signing, madeBy: MadeBy): Promise<void> {
  const { auditTree, checkpointKeys, checkpointCopies, clock } = deps
  const key = await checkpointKeys.get()
  const sign: Parameters<typeof auditTree.grow>[2] = (before, heads) => {
    const tree = heads.map(treeLeaf).reduce(withLeaf, before)
    return { tree, note: signCheckpoint(key, { size: tree.size, root: rootOf(tree) }) }
  }
  while ((await auditTree.grow(clock.now(), MAX_LEAVES, sign)) === MAX_LEAVES) continue
  for (const checkpoint of await auditTree.pending()) {
    await checkpointCopies.keep(checkpoint)
    await announce(deps, checkpoint, madeBy)
    await auditTree.markAnnounced(checkpoint.size, clock.now())
  }
}

async function announce(
  { changes, publishing, ids }: Signing,
  { size, note, signedAt }: PendingCheckpoint,
  madeBy: MadeBy,
): Promise<void> {
  const { actor, now } = systemOrigin('audit', { userId: LOG_USER, now: signedAt, madeBy })
  const event = draftEvent(AuditCheckpointSigned, {
    id: ids.uuid(),
    subject: `checkpoint/${size}`,
    time: now,
    trace: null,
    data: { size, note, actor },
  })
  await changes.commit({ userId: LOG_USER, at: now, activeDelta: 0, completedDelta: 0, events: [event] })
  publishing.wake()
}
