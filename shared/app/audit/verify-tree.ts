import { EMPTY_TREE, rootOf, treeLeaf, withLeaf } from '../../domain/audit/merkle.ts'
import { openCheckpoint, type NoteKey } from '../../domain/audit/signed-note.ts'
import type { AuditTree } from './ports.ts'

interface TreeReport {
  leaves: number
  /** Notes that were verified: those of the database and the copies. */
  notes: number
  /** The first thing that is wrong. */
  fault: string | null
}

export interface KeptNote {
  /** Where it lies, for people. */
  where: string
  note: string
}

const PAGE = 1000

/** Makes the tree again from its leaves and compares it with what these keys have signed, here and elsewhere. */
export async function verifyTree(
  tree: Pick<AuditTree, 'leaves' | 'notes'>,
  keys: readonly NoteKey[],
  copies: readonly KeptNote[],
): Promise<TreeReport> {
  const report: TreeReport = { leaves: 0, notes: 0, fault: null }
  const bySize = new Map<number, { where: string; root: Buffer }[]>()
  for await (const { where, note } of allNotes(tree, copies)) {
    const checkpoint = openCheckpoint(keys, note)
    if (!checkpoint) return { ...report, fault: `${where} is not signed by the key of this log` }
    const { size, root } = checkpoint
    bySize.set(size, [...(bySize.get(size) ?? []), { where, root }])
    report.notes += 1
  }
  let made = EMPTY_TREE
  for (;;) {
    const leaves = await tree.leaves(made.size, PAGE)
    if (leaves.length === 0) break
    for (const leaf of leaves) {
      made = withLeaf(made, treeLeaf(leaf))
      const root = rootOf(made)
      const other = bySize.get(made.size)?.find((signed) => !signed.root.equals(root))
      if (other) return { ...report, leaves: made.size, fault: `${other.where} is of another tree` }
      bySize.delete(made.size)
    }
  }
  const [beyond] = [...bySize].toSorted(([a], [b]) => a - b)
  const fault = beyond
    ? `${beyond[1][0]!.where} is of a tree of ${beyond[0]} leaves, and there are ${made.size}`
    : null
  return { ...report, leaves: made.size, fault }
}

async function* allNotes(
  tree: Pick<AuditTree, 'notes'>,
  copies: readonly KeptNote[],
): AsyncGenerator<KeptNote> {
  yield* copies
  let after = 0
  for (;;) {
    const page = await tree.notes(after, PAGE)
    for (const { size, note } of page) yield { where: `the checkpoint of size ${size}`, note }
    if (page.length < PAGE) return
    after = page.at(-1)!.size
  }
}
