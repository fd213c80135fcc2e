import { createHash } from 'node:crypto'

/** How far a user's chain has come. */
export interface ChainHead {
  userId: string
  seq: number
  hash: Buffer
}

/** An entry as it is kept. Without content it is of a deleted account: its leaf still has its place in the chain. */
export interface ChainedEntry {
  userId: string
  seq: number
  at: Date
  content: { action: string; resource: string; body: string; salt: Buffer } | null
  leaf: Buffer
  hash: Buffer
}

/** Bytes that begin what is hashed, so that nothing of one kind has the hash of another (RFC 6962 §2.1 has the first two). */
const [LEAF, LINK, GENESIS] = [0x00, 0x01, 0x02].map((kind) => Buffer.of(kind)) as [Buffer, Buffer, Buffer]

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** What stands for the content: with the salt gone nobody can find out what it was by trying. */
export const leafOf = (salt: Uint8Array, body: string): Buffer => sha256(LEAF, salt, Buffer.from(body))

/** Binds an entry to its place, its time and all entries before it. */
export const linkOf = (before: Uint8Array, { seq, at, leaf }: Pick<ChainedEntry, 'seq' | 'at' | 'leaf'>) =>
  sha256(LINK, before, integer(seq), integer(at.getTime()), leaf)

/** The head of a chain without entries. It is of one user, so a chain cannot be passed off as another's. */
export const genesisOf = (userId: string): Buffer =>
  sha256(GENESIS, Buffer.from(userId.replaceAll('-', ''), 'hex'))

export const emptyChain = (userId: string): ChainHead => ({ userId, seq: 0, hash: genesisOf(userId) })
