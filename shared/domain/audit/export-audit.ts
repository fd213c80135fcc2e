import { z } from 'zod'
import { parseJson } from '../parse-json.ts'
import type { ChainedEntry, ChainHead } from './chain.ts'
import { AuditEntry } from './entry.ts'

export const AUDIT_FORMATS = ['json', 'csv', 'ndjson'] as const
export type AuditFormat = (typeof AUDIT_FORMATS)[number]

/** An entry with what proves its place: docs/audit.md says how. */
const ProvenEntry = z
  .object({
    entry: AuditEntry.describe('Its canonical JSON (RFC 8785) is what was hashed'),
    salt: z.hex().describe('leaf = SHA-256(0x00, salt, canonical JSON of the entry)'),
    leaf: z.hex(),
    hash: z
      .hex()
      .describe('SHA-256(0x01, hash before, seq, at in milliseconds, leaf); integers of 8 bytes, big-endian'),
  })
  .meta({ id: 'ProvenAuditEntry' })
export const AuditExport = z
  .object({
    user_id: z.uuid(),
    anchor: z
      .object({ seq: z.int(), hash: z.hex() })
      .describe('What the first entry of the trail goes on from'),
    head: z.object({ seq: z.int(), hash: z.hex() }).describe('The last entry when the export began'),
    checkpoint: z.string().nullable().describe('The last signed checkpoint; null before the first'),
    items: z.array(ProvenEntry),
  })
  .meta({ id: 'AuditExport' })

type FullEntry = ChainedEntry & { content: NonNullable<ChainedEntry['content']> }

const hex = (bytes: Buffer): string => bytes.toString('hex')
export const placeView = ({ seq, hash }: Omit<ChainHead, 'userId'>) => ({ seq, hash: hex(hash) })

/** The bytes of the entry stand in it as they were hashed. */
const proven = ({ content: { body, salt }, leaf, hash }: FullEntry): string =>
  `{"entry":${body},"hash":"${hex(hash)}","leaf":"${hex(leaf)}","salt":"${hex(salt)}"}`

const COLUMNS = [
  'seq',
  'at',
  'action',
  'resource',
  'actor_type',
  'actor_id',
  'on_behalf_of',
  'made_by',
  'client_ip',
  'user_agent',
  'trace_id',
  'details',
  'data_sha256',
  'hash',
] as const

/** Programs for tables take what begins so for a formula, and run it. */
const FORMULA = /^[=+\-@\t\r]/

const cell = (value: unknown): string => {
  const filled = value ?? ''
  const text = typeof filled === 'string' ? filled : JSON.stringify(filled)
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}

/** A row of RFC 4180; of numbers and texts alike, so that none is taken for a date or a formula. */
const row = (cells: readonly unknown[]): string => `${cells.map(cell).join(',')}\r\n`

function csvRow({ content: { body }, hash }: FullEntry): string {
  const { actor, ...entry } = parseJson(body) as AuditEntry
  const { type, id, ...who } = actor
  const values: Record<(typeof COLUMNS)[number], unknown> = {
    ...entry,
    on_behalf_of: who.on_behalf_of,
    made_by: who.made_by,
    client_ip: who.client_ip,
    user_agent: who.user_agent,
    actor_type: type,
    actor_id: id,
    hash: hex(hash),
  }
  return row(COLUMNS.map((name) => values[name]))
}

interface ExportHead {
  user_id: string
  anchor: { seq: number; hash: string }
  head: { seq: number; hash: string }
  checkpoint: string | null
}

/** How a format begins, says entries and ends. */
interface Writer {
  begin: (head: ExportHead) => string
  page: (entries: readonly FullEntry[], isFirst: boolean) => string
  end: string
}

export const WRITERS: Readonly<Record<AuditFormat, Writer>> = {
  json: {
    begin: (head) => `${JSON.stringify(head).slice(0, -1)},"items":[`,
    page: (entries, isFirst) =>
      entries.map((entry, index) => `${isFirst && index === 0 ? '' : ','}\n${proven(entry)}`).join(''),
    end: '\n]}\n',
  },
  ndjson: {
    begin: () => '',
    page: (entries) => entries.map((entry) => `${proven(entry)}\n`).join(''),
    end: '',
  },
  csv: { begin: () => row(COLUMNS), page: (entries) => entries.map(csvRow).join(''), end: '' },
}
