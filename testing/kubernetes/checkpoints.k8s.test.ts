import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EMPTY_TREE, rootOf, treeLeaf, withLeaf, type Tree } from '../../shared/domain/audit/merkle.ts'
import {
  readSigningKey,
  readVerifier,
  signCheckpoint,
  signingKeyText,
  verifierText,
} from '../../shared/domain/audit/signed-note.ts'
import { systemIds } from '../../shared/kit/system.ts'

const FOLDER = fileURLToPath(new URL('../../tools/checkpoint/', import.meta.url))
const random = () => Buffer.from(systemIds.hex(32), 'hex')
const key = readSigningKey(signingKeyText('daybook.example/audit', random()))!

interface Log {
  verifier: string
  notes: string[]
  leaves: string[]
}

/** A log with a checkpoint at each of these sizes, in rising order. */
function logOf(sizes: readonly number[]): Log {
  const leaves = Array.from({ length: sizes.at(-1)! }, (_, seq) =>
    treeLeaf({ userId: systemIds.uuid(), seq: seq + 1, hash: random() }),
  )
  let tree: Tree = EMPTY_TREE
  const notes = leaves.flatMap((leaf) => {
    tree = withLeaf(tree, leaf)
    return sizes.includes(tree.size) ? [signCheckpoint(key, { size: tree.size, root: rootOf(tree) })] : []
  })
  return { verifier: verifierText(key), notes, leaves }
}

/** What Go's own packages for such logs say (tools/checkpoint). */
function judged(log: Log): string {
  const { status, stdout, stderr } = spawnSync('go', ['-C', FOLDER, 'run', '-mod=readonly', '.'], {
    input: JSON.stringify(log),
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0' },
  })
  return status === 0 ? stdout.trim() : stderr
}

describe('a checkpoint, to the packages of Go', () => {
  it('is signed, has the root of its leaves, and follows the one before', () => {
    const sizes = [1, 2, 3, 4, 7, 8, 9, 31, 64, 100, 257, 1000]
    expect(judged(logOf(sizes))).toBe('12 checkpoints, 1000 leaves')
  }, 120_000)

  it.each<[string, (log: Log) => Log, RegExp]>([
    [
      'with another size',
      (log) => ({ ...log, notes: [log.notes[0]!.replace('\n5\n', '\n4\n')] }),
      /invalid signature/,
    ],
    [
      'by another key',
      (log) => ({ ...log, verifier: verifierText(readSigningKey(signingKeyText(key.name, random()))!) }),
      /no verifiable signatures/,
    ],
    ['of another leaf', (log) => ({ ...log, leaves: log.leaves.with(2, 'x') }), /the root of the leaves is/],
  ])('is refused %s', (_, change, reason) => {
    expect(judged(change(logOf([5])))).toMatch(reason)
  })

  it('has a verifier that both read alike', () => {
    expect(readVerifier(verifierText(key))?.id).toEqual(key.id)
    expect(readVerifier(verifierText(key).replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toBeNull()
  })
})
