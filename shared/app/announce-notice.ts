import type { TraceContext } from '../domain/actor.ts'
import { decideAnnouncement } from '../domain/announce.ts'
import type { Notification } from '../domain/notification.ts'
import { LATE_AFTER_MS } from '../domain/reminder-plan.ts'
import { toChange } from './commit-decision.ts'
import type { Change, CommitResult, Deps } from './ports.ts'

/** What somebody asks to have told. */
export interface NoticeRequest {
  /** Of the event that asks; the notification gets the same. */
  id: string
  userId: string
  title: string
  body: string
  taskId: string | null
  requestedAt: Date
  trace: TraceContext
  /** With the consumer's dedupe mark. */
  commit: (change: Change) => Promise<CommitResult>
}

/** Makes the notification that an event asks for, unless it is made. */
export async function announceNotice(
  deps: Pick<Deps, 'clock' | 'ids' | 'preferences' | 'publishing'>,
  request: NoticeRequest,
): Promise<void> {
  const { id, userId, title, body, taskId, requestedAt } = request
  const now = deps.clock.now()
  const notification: Notification = {
    ...{ id, userId, source: `event/${id}`, type: 'notice', taskId, reminderId: null, title, body },
    late: now.getTime() - requestedAt.getTime() > LATE_AFTER_MS,
    ...{ createdAt: now, readAt: null },
  }
  const { audience } = await deps.preferences.get(userId)
  const announcement = { notification, channels: null, isUrgent: false, fireAt: requestedAt }
  const decision = decideAnnouncement(announcement, audience, { now, newId: deps.ids.uuid, factsBefore: 0 })
  const actor = { type: 'system' as const, id: 'notifications', on_behalf_of: userId }
  const { outcome } = await request.commit(
    toChange(deps, { userId, actor, now, trace: request.trace }, decision),
  )
  // A conflict: the notification exists, so the event was dealt with before its mark was forgotten.
  if (outcome === 'applied') deps.publishing.wake()
}
