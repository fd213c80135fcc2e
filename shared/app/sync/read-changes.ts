import { withoutClient } from '../../domain/actor.ts'
import { toCloudEvent, type CloudEvent, type RecordedEvent } from '../../domain/cloud-event.ts'
import { DomainError } from '../../domain/errors.ts'
import { isAllowed } from '../../domain/scopes.ts'
import { cursorText, goneReason, type Cursor } from '../../domain/sync/cursor.ts'
import type { Actor, Deps } from '../ports.ts'

export interface ChangePage {
  /** Each with the cursor behind it. */
  changes: { event: CloudEvent; cursor: string }[]
  /** Where it began, as a cursor that names its history. */
  since: string
  /** Where to go on. */
  next: Cursor
  cursor: string
  hasMore: boolean
}

/** What happened after a cursor, as its user may see it; `changes.cursor_gone` where that is not known any more. */
export async function readChanges(
  { changeLog }: Pick<Deps, 'changeLog'>,
  { userId, scopes }: Pick<Actor, 'userId' | 'scopes'>,
  since: Cursor,
  limit: number,
): Promise<ChangePage> {
  const { events, hasMore, ...log } = await changeLog.after(userId, since.sequence, limit)
  const reason = goneReason(since, userId, log)
  if (reason !== null) {
    throw new DomainError(
      'changes.cursor_gone',
      `${reason} Load GET /api/snapshot, then go on with its cursor.`,
    )
  }
  // From where somebody asked is part of the account, as the addresses of sessions are.
  const view = isAllowed(scopes, 'account:read') ? toCloudEvent : cloudEventWithoutClient
  const origin = { history: log.history, userId }
  const sequence = events.at(-1)?.sequence ?? since.sequence
  return {
    changes: events.map((event) => ({ event: view(event), cursor: cursorText(origin, event.sequence) })),
    since: cursorText(origin, since.sequence),
    next: { origin, sequence },
    cursor: cursorText(origin, sequence),
    hasMore,
  }
}

function cloudEventWithoutClient(event: RecordedEvent): CloudEvent {
  const shown = toCloudEvent(event)
  return { ...shown, data: withoutClient(shown.data) }
}
