import fc from 'fast-check'
import { expect, it } from 'vitest'
import { verifyChain } from '../../app/audit/verify-audit.ts'
import { anEvent } from '../../../testing/builders/a-task.ts'
import { systemIds } from '../../kit/system.ts'
import { emptyChain, type ChainedEntry } from './chain.ts'
import { chainEntries } from './entry.ts'
import type { KeptChain } from './verify-chain.ts'

const LENGTH = 12
const userId = systemIds.uuid()
const chainOf = (owner: string): ChainedEntry[] => {
  const events = Array.from({ length: LENGTH }, (_, index) => ({
    ...anEvent({ time: new Date(1_772_452_800_000 + index) }),
    userId: owner,
    sequence: index + 1,
  }))
  return chainEntries(emptyChain(owner), events, () => Buffer.from(systemIds.hex(32), 'hex'))
}
const [own, others] = [chainOf(userId), chainOf(systemIds.uuid())]

const head = own.at(-1)!
const kept: KeptChain = {
  head: { userId, seq: head.seq, hash: head.hash },
  anchor: emptyChain(userId),
  isDeleted: false,
  signed: new Map([[8, own[7]!.hash]]),
}

const verdict = (entries: readonly ChainedEntry[], chain: KeptChain = kept) =>
  verifyChain(
    {
      chain: async () => chain,
      after: async (_, seq, limit) => entries.filter((entry) => entry.seq > seq).slice(0, limit),
    },
    userId,
  )

const changedBytes = (bytes: Buffer, at: number, by: number) => {
  const copy = Buffer.from(bytes)
  copy[at % copy.length]! ^= by
  return copy
}
const changedText = (text: string, at: number, by: number) => {
  const changed = changedBytes(Buffer.from(text), at, by).toString('utf8')
  return changed === text ? `${text} ` : changed
}

const FIELDS = ['seq', 'at', 'action', 'resource', 'body', 'salt', 'leaf', 'hash'] as const

function withByte(entry: ChainedEntry, field: (typeof FIELDS)[number], at: number, by: number): ChainedEntry {
  const content = entry.content!
  switch (field) {
    case 'seq':
      return { ...entry, seq: entry.seq ^ by }
    case 'at':
      return { ...entry, at: new Date(entry.at.getTime() ^ by) }
    case 'action':
    case 'resource':
    case 'body':
      return { ...entry, content: { ...content, [field]: changedText(content[field], at, by) } }
    case 'salt':
      return { ...entry, content: { ...content, salt: changedBytes(content.salt, at, by) } }
    case 'leaf':
    case 'hash':
      return { ...entry, [field]: changedBytes(entry[field], at, by) }
  }
}

const place = fc.nat(LENGTH - 1)
const tampering = fc.oneof(
  fc.record({
    kind: fc.constant('byte' as const),
    index: place,
    field: fc.constantFrom(...FIELDS),
    at: fc.nat(10_000),
    by: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant('removal' as const), index: place, count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('insertion' as const), index: place }),
  fc.record({ kind: fc.constant('swap' as const), index: place, other: place }),
  fc.record({ kind: fc.constant('content' as const), index: place, other: place }),
  fc.record({ kind: fc.constant('foreign' as const), index: place }),
)
type Tampering = typeof tampering extends fc.Arbitrary<infer Value> ? Value : never

/** Rows as the database would give them, in the order of their places. */
function tampered(done: Tampering): ChainedEntry[] {
  const entries = [...own]
  const entry = entries[done.index]!
  switch (done.kind) {
    case 'byte':
      entries[done.index] = withByte(entry, done.field, done.at, done.by)
      break
    case 'removal':
      entries.splice(done.index, done.count)
      break
    case 'insertion':
      // What follows makes room.
      return [
        ...entries.slice(0, done.index),
        entry,
        ...entries.slice(done.index).map((one) => ({ ...one, seq: one.seq + 1 })),
      ]
    case 'swap': {
      const other = entries[done.other]!
      entries[done.index] = { ...other, seq: entry.seq }
      entries[done.other] = { ...entry, seq: other.seq }
      break
    }
    case 'content':
      entries[done.index] = { ...entry, content: entries[done.other]!.content }
      break
    case 'foreign':
      entries[done.index] = { ...others[done.index]!, userId }
  }
  return entries.toSorted((a, b) => a.seq - b.seq)
}

it('finds nothing where nothing was done', async () => {
  expect(await verdict(own)).toMatchObject({ entries: LENGTH, fault: null })
})

it('finds any byte that was changed, and any entry that was removed, inserted, swapped or replaced', async () => {
  await fc.assert(
    fc.asyncProperty(tampering, async (done) => {
      fc.pre(!('other' in done) || done.other !== done.index)
      expect((await verdict(tampered(done)))?.fault).not.toBeNull()
    }),
    { numRuns: 3000 },
  )
})

it('names the first entry that is wrong', async () => {
  await fc.assert(
    fc.asyncProperty(place, fc.constantFrom(...FIELDS.slice(1)), fc.nat(1000), async (index, field, at) => {
      const entries = own.map((entry, n) => (n >= index ? withByte(entry, field, at, 1) : entry))
      expect((await verdict(entries))?.fault?.seq).toBe(index + 1)
    }),
    { numRuns: 500 },
  )
})

it('finds a whole chain that was written anew, once a checkpoint holds an entry of it', async () => {
  const anew = chainOf(userId)
  const last = anew.at(-1)!
  const chain = { ...kept, head: { userId, seq: last.seq, hash: last.hash } }
  expect((await verdict(anew, chain))?.fault).toEqual({ seq: 8, reason: 'a checkpoint holds another entry' })
  expect((await verdict(anew, { ...chain, signed: new Map() }))?.fault).toBeNull()
})
