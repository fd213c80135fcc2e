import {
  anchorFault,
  endFault,
  entryFault,
  type ChainFault,
  type KeptChain,
} from '../../domain/audit/verify-chain.ts'
import type { ChainHead } from '../../domain/audit/chain.ts'
import type { AuditTrail } from './ports.ts'

export interface ChainReport {
  entries: number
  /** Without content, since the account was deleted. */
  erased: number
  first: number
  head: ChainHead
  fault: ChainFault | null
}

const PAGE = 500

/** Reads a chain from its beginning to its end, a page at a time, up to the first entry with which something is wrong. */
export async function verifyChain(
  trail: Pick<AuditTrail, 'chain' | 'after'>,
  userId: string,
  onEntries: (count: number) => void = () => {},
): Promise<ChainReport | null> {
  for (;;) {
    const chain = await trail.chain(userId)
    if (!chain) {
      const [stray] = await trail.after(userId, 0, 1)
      return stray ? withoutChain(userId, stray.seq) : null
    }
    const report = await verifyKept(trail, chain, onEntries)
    // What was removed for its age meanwhile is not missing.
    if (!report.fault || (await trail.chain(userId))?.anchor.seq === chain.anchor.seq) return report
  }
}

const withoutChain = (userId: string, seq: number): ChainReport => ({
  entries: 0,
  erased: 0,
  first: seq,
  head: { userId, seq: 0, hash: Buffer.alloc(0) },
  fault: { seq, reason: 'there are entries and no chain' },
})

async function verifyKept(
  trail: Pick<AuditTrail, 'chain' | 'after'>,
  chain: KeptChain,
  onEntries: (count: number) => void,
): Promise<ChainReport> {
  const { userId } = chain.head
  const report = { entries: 0, erased: 0, first: chain.anchor.seq + 1, head: chain.head }
  const [first] = await trail.after(userId, Number.MIN_SAFE_INTEGER, 1)
  let fault = anchorFault(chain, first)
  let last = chain.anchor
  while (!fault && last.seq < chain.head.seq) {
    const page = await trail.after(userId, last.seq, PAGE)
    const entries = page.filter(({ seq }) => seq <= chain.head.seq)
    for (const entry of entries) {
      fault = entryFault(chain, last, entry)
      if (fault) break
      last = { userId, seq: entry.seq, hash: entry.hash }
      report.entries += 1
      if (!entry.content) report.erased += 1
    }
    onEntries(entries.length)
    if (entries.length === 0) break
  }
  return { ...report, fault: fault ?? endFault(chain, last) ?? (await strayFault(trail, chain.head)) }
}

/** Entries behind the end have come since it was read, and the end with them; or they are not of the chain. */
async function strayFault(
  trail: Pick<AuditTrail, 'chain' | 'after'>,
  { userId, seq }: ChainHead,
): Promise<ChainFault | null> {
  const [next] = await trail.after(userId, seq, 1)
  if (!next || ((await trail.chain(userId))?.head.seq ?? 0) >= next.seq) return null
  return { seq: next.seq, reason: 'the entry is behind the end of the chain' }
}
