import { parseJson } from '../parse-json.ts'
import { genesisOf, leafOf, linkOf, type ChainedEntry, type ChainHead } from './chain.ts'

/** A chain as it is kept: from what its first entry goes on, and where it ends. */
export interface KeptChain {
  head: ChainHead
  anchor: ChainHead
  /** Then entries have lost their content, and those that were not recorded in time are missing. */
  isDeleted: boolean
  /** Hashes of this chain in the signed tree, by the place of their entry. */
  signed: ReadonlyMap<number, Buffer>
}

/** What is wrong, and with which entry. */
export interface ChainFault {
  seq: number
  reason: string
}

const LAST_OF_ACCOUNT = 'auth.account.deleted'

/** What is wrong with where the chain begins: its first entry is bound to the beginning, or to one that a checkpoint holds. */
export function anchorFault(
  { anchor, signed }: KeptChain,
  first: ChainedEntry | undefined,
): ChainFault | null {
  const { userId, seq, hash } = anchor
  if (first && first.seq <= seq) {
    return { seq: first.seq, reason: 'the entry is before the beginning of the trail' }
  }
  const known = seq === 0 ? genesisOf(userId) : signed.get(seq)
  if (known?.equals(hash)) return null
  return { seq, reason: 'no checkpoint holds the entry after which the trail begins' }
}

/** What is wrong with the entry that follows `before`; null when nothing is. */
export function entryFault(chain: KeptChain, before: ChainHead, entry: ChainedEntry): ChainFault | null {
  const { seq, content, leaf, hash } = entry
  const next = before.seq + 1
  const isLast = chain.isDeleted && content?.action === LAST_OF_ACCOUNT
  if (seq !== next && !isLast) return { seq: next, reason: 'the entry is missing' }
  if (!content && !chain.isDeleted) return { seq, reason: 'the entry has no content' }
  if (content && !leafOf(content.salt, content.body).equals(leaf)) {
    return { seq, reason: 'the content is not what was recorded' }
  }
  if (content && !isAsSaid(entry, content))
    return { seq, reason: 'the columns are not what the content says' }
  if (!linkOf(before.hash, entry).equals(hash)) {
    return { seq, reason: 'the entry is not bound to those before it' }
  }
  const signed = chain.signed.get(seq)
  if (signed && !signed.equals(hash)) return { seq, reason: 'a checkpoint holds another entry' }
  return null
}

/** What is wrong with where the entries end. */
export function endFault({ head, signed }: KeptChain, last: ChainHead): ChainFault | null {
  if (last.seq < head.seq) return { seq: last.seq + 1, reason: 'the entry is missing' }
  if (last.seq !== head.seq || !last.hash.equals(head.hash)) {
    return { seq: last.seq, reason: 'the chain does not end with this entry' }
  }
  const beyond = [...signed.keys()].find((seq) => seq > last.seq)
  if (beyond !== undefined) return { seq: beyond, reason: 'a checkpoint holds the entry, and it is missing' }
  return null
}

interface Copied {
  user_id?: unknown
  seq?: unknown
  at?: unknown
  action?: unknown
  resource?: unknown
}

function isAsSaid(
  { userId, seq, at }: ChainedEntry,
  { action, resource, body }: NonNullable<ChainedEntry['content']>,
): boolean {
  const said = (parseJson(body) ?? {}) as Copied
  return (
    said.user_id === userId &&
    said.seq === seq &&
    said.at === at.toISOString() &&
    said.action === action &&
    said.resource === resource
  )
}
