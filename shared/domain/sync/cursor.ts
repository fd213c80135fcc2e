import { z } from 'zod'

/** After which change a client wants to go on. */
export interface Cursor {
  /** The history of the database whose numbers these are, and whose; null for a bare number, which does not say. */
  origin: { history: string; userId: string } | null
  sequence: number
}

export const BEGINNING: Cursor = { origin: null, sequence: 0 }

const NUMBER = /^\d{1,20}$/

/** As clients hand it on: opaque, and good for one user in one history of the database. */
export function cursorText(origin: { history: string; userId: string }, sequence: number): string {
  const bytes = Buffer.alloc(40)
  bytes.write(hexOf(origin.history), 0, 'hex')
  bytes.write(hexOf(origin.userId), 16, 'hex')
  bytes.writeBigUInt64BE(BigInt(sequence), 32)
  return bytes.toString('base64url')
}

const hexOf = (uuid: string): string => uuid.replaceAll('-', '')

/** A cursor of ours, or the sequence number of an event, as the first release had it. */
export const CursorText = z
  .string()
  .regex(/^([\w-]{54}|\d{1,20})$/, 'must be the cursor of an answer, or the sequence number of an event')
  .transform((text, context): Cursor => {
    const cursor = NUMBER.test(text) ? { origin: null, sequence: Number(text) } : parse(text)
    if (Number.isSafeInteger(cursor.sequence)) return cursor
    context.addIssue({ code: 'custom', message: 'must be the cursor of an answer' })
    return z.NEVER
  })

function parse(text: string): Cursor {
  const bytes = Buffer.from(text, 'base64url')
  const origin = { history: uuidOf(bytes.subarray(0, 16)), userId: uuidOf(bytes.subarray(16, 32)) }
  return { origin, sequence: Number(bytes.readBigUInt64BE(32)) }
}

const uuidOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')

/** What a log of changes holds of a user. */
export interface Extent {
  history: string
  /** The number of the first event that is kept, or would be. */
  oldest: number
  /** Of the last that ever was; 0 for none. */
  newest: number
}

/** Why nobody can go on from a cursor; null where one can. */
export function goneReason({ origin, sequence }: Cursor, userId: string, log: Extent): string | null {
  if (origin && origin.userId !== userId) return 'The cursor belongs to another user.'
  // Of a database that was restored since, whose numbers are given a second time.
  if (origin && origin.history !== log.history) return 'The database was restored since.'
  if (sequence > log.newest) return `There are no changes after ${log.newest}.`
  if (sequence < log.oldest - 1) return `Changes before ${log.oldest} are not kept.`
  return null
}
