import { createHash } from 'node:crypto'
import type { ChainHead } from './chain.ts'

/** A Merkle tree (RFC 6962 §2.1) that only grows: of it the roots of its perfect subtrees are kept, the largest first. */
export interface Tree {
  size: number
  edge: readonly Buffer[]
}

export const EMPTY_TREE: Tree = { size: 0, edge: [] }

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const node = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.of(1), left, right)

/** What stands in the tree for a chain that has come this far: canonical JSON (RFC 8785). */
export const treeLeaf = ({ userId, seq, hash }: ChainHead): string =>
  JSON.stringify({ hash: hash.toString('hex'), seq, user_id: userId })

export function withLeaf({ size, edge }: Tree, leaf: string): Tree {
  const next = [...edge]
  let hash = sha256(Buffer.of(0), Buffer.from(leaf))
  // As in counting: each trailing one of the size is a subtree as large as what is added to it.
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) hash = node(next.pop()!, hash)
  return { size: size + 1, edge: [...next, hash] }
}

export const rootOf = ({ edge }: Tree): Buffer =>
  edge.length === 0 ? sha256() : edge.toReversed().reduce((right, left) => node(left, right))
