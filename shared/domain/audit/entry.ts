import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { ActorView } from '../actor.ts'
import type { RecordedEvent } from '../cloud-event.ts'
import { instantText } from '../fields.ts'
import { upcast } from '../upcast.ts'
import { leafOf, linkOf, type ChainedEntry, type ChainHead } from './chain.ts'

export const AuditEntry = z
  .object({
    id: z.uuid().describe('Of the event'),
    seq: z.int().positive().describe("Its place in the user's order, without a gap"),
    user_id: z.uuid(),
    at: instantText,
    action: z.string().describe('What happened: the type of the event'),
    resource: z.string().describe('What it happened to, as task/<id>'),
    actor: ActorView,
    trace_id: z.string().nullable().describe('Of the request that led to it (W3C Trace Context)'),
    details: z
      .record(z.string(), z.unknown())
      .describe('What the event says beside the whole rows: what changed, reasons, titles'),
    data_sha256: z
      .string()
      .describe('SHA-256 of the data of the event in canonical JSON (RFC 8785), hexadecimal'),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof AuditEntry>

/** Whole rows are in the event, which the digest binds; positions of tasks may be thousands. */
const NO_DETAILS = new Set([
  'actor',
  'task',
  'series',
  'reminder',
  'notification',
  'preferences',
  'positions',
])
const MAX_DETAILS = 4096
const NOBODY = { type: 'system', id: 'unknown' }

interface Said {
  actor?: unknown
  changes?: object
  title?: unknown
  task_title?: unknown
  task?: { title?: unknown }
  series?: { title?: unknown }
  notification?: { title?: unknown } | null
  positions?: readonly unknown[]
}

/** What is hashed of an event. */
export const auditBody = (event: RecordedEvent): string => canonical(auditEntry(event))

function auditEntry(event: RecordedEvent): AuditEntry {
  const said = (upcast(event)?.data ?? event.data ?? {}) as Said
  return {
    id: event.id,
    seq: event.sequence,
    user_id: event.userId,
    at: event.time.toISOString(),
    action: event.type,
    resource: event.subject,
    actor: ActorView.catch(NOBODY as ActorView).parse(said.actor),
    trace_id: event.trace?.traceparent.slice(3, 35) ?? null,
    details: detailsOf(said),
    data_sha256: createHash('sha256').update(canonical(event.data)).digest('hex'),
  }
}

function detailsOf(said: Said): AuditEntry['details'] {
  const title = said.task?.title ?? said.task_title ?? said.series?.title ?? said.notification?.title
  const short = {
    ...(title !== undefined && { title }),
    ...(said.positions && { moved: said.positions.length }),
  }
  const others = Object.entries(said).filter(([name]) => !NO_DETAILS.has(name) && name !== 'task_title')
  const details = { ...Object.fromEntries(others), ...short }
  if (JSON.stringify(details).length <= MAX_DETAILS) return details
  return { ...short, changed: Object.keys(said.changes ?? {}) }
}

/** RFC 8785: the same bytes for the same value, whoever writes them. */
const canonical = (value: unknown): string => canonicalize(value) ?? 'null'

/** The entries of these events, in their order, bound to what was before. `salt` draws a new one of 32 bytes. */
export function chainEntries(
  head: ChainHead,
  events: readonly RecordedEvent[],
  salt: () => Buffer,
): ChainedEntry[] {
  let before = head.hash
  return events.map((event) => {
    const entry = auditEntry(event)
    const content = { action: entry.action, resource: entry.resource, body: canonical(entry), salt: salt() }
    const place = { seq: entry.seq, at: event.time, leaf: leafOf(content.salt, content.body) }
    before = linkOf(before, place)
    return { userId: event.userId, content, ...place, hash: before }
  })
}
