import { z } from 'zod'
import { activityDays, ACTIVITIES, type ActivityDay } from '../../domain/audit/activity.ts'
import type { AuditEntry } from '../../domain/audit/entry.ts'
import { cursorAt, readCursor } from '../../domain/cursor.ts'
import { CATALOGUE } from '../../domain/events.ts'
import type { Actor, Deps } from '../ports.ts'
import type { AuditFilter, AuditPlace } from './ports.ts'

type Reading = Pick<Deps, 'auditTrail'>

const Place = z
  .tuple([z.iso.datetime(), z.int().positive()])
  .transform(([at, seq]): AuditPlace => ({ at: new Date(at), seq }))

interface Page {
  limit: number
  cursor: string | null
}

/** The types that are meant by a type or what one begins with: `task` is all of `task.created`, `task.updated` … */
export const typesOf = (actions: readonly string[]): string[] =>
  CATALOGUE.map(({ type }) => type).filter((type) =>
    actions.some((action) => type === action || type.startsWith(`${action}.`)),
  )

/** A page of entries, newest first; `request.invalid` for what is no cursor of the same list. */
export async function listAudit(
  { auditTrail }: Reading,
  userId: string,
  filter: AuditFilter,
  { limit, cursor }: Page,
): Promise<{ items: AuditEntry[]; next_cursor: string | null }> {
  const list = { list: 'audit', ...filter }
  const before = cursor === null ? null : readCursor(list, Place, cursor)
  const { items, hasMore } = await auditTrail.list(userId, { ...filter, before, limit })
  const last = items.at(-1)
  return {
    items: items.map(({ content }) => JSON.parse(content.body) as AuditEntry),
    next_cursor: hasMore && last ? cursorAt(list, [last.at.toISOString(), last.seq]) : null,
  }
}

export async function listActivity(
  deps: Reading,
  { userId, timeZone }: Actor,
  filter: Omit<AuditFilter, 'actions'>,
  page: Page,
): Promise<{ days: ActivityDay[]; next_cursor: string | null }> {
  const { items, next_cursor } = await listAudit(deps, userId, { ...filter, actions: ACTIVITIES }, page)
  return { days: activityDays(items, timeZone), next_cursor }
}
