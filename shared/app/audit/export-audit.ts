import { emptyChain } from '../../domain/audit/chain.ts'
import { placeView, WRITERS, type AuditFormat } from '../../domain/audit/export-audit.ts'
import type { Deps } from '../ports.ts'
import type { FullEntry } from './ports.ts'

const PAGE = 200

/** The text of an export in the order of the chain, in pieces that are read when the one before was taken. */
export async function* exportAudit(
  { auditTrail, auditTree }: Pick<Deps, 'auditTrail' | 'auditTree'>,
  userId: string,
  format: AuditFormat,
): AsyncGenerator<string> {
  const chain = await auditTrail.chain(userId)
  const { anchor, head } = chain ?? { anchor: emptyChain(userId), head: emptyChain(userId) }
  const writer = WRITERS[format]
  yield writer.begin({
    user_id: userId,
    anchor: placeView(anchor),
    head: placeView(head),
    checkpoint: await auditTree.lastNote(),
  })
  let seq = anchor.seq
  while (seq < head.seq) {
    const entries = (await auditTrail.after(userId, seq, PAGE)).filter((entry) => entry.seq <= head.seq)
    if (entries.length === 0) break
    const page = writer.page(
      entries.filter((entry): entry is FullEntry => entry.content !== null),
      seq === anchor.seq,
    )
    if (page !== '') yield page
    seq = entries.at(-1)!.seq
  }
  if (writer.end !== '') yield writer.end
}
