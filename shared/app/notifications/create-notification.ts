import type { MadeBy, TraceContext } from '../../domain/actor.ts'
import { decideNotification, type NewNotification } from '../../domain/notifications/new-notification.ts'
import { createdFact } from '../../domain/notifications/notification-facts.ts'
import { LATE_AFTER_MS } from '../../domain/reminders/reminder-plan.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import type { Change, CommitResult, Deps } from '../ports.ts'

export interface NoticeRequest {
  id: string
  userId: string
  title: string
  body: string
  taskId: string | null
  requestedAt: Date
  trace: TraceContext
  madeBy: MadeBy
  /** With the consumer's dedupe mark. */
  commit: (change: Change) => Promise<CommitResult>
}

export async function createNotification(
  deps: Pick<Deps, 'clock' | 'ids' | 'preferences' | 'publishing'>,
  request: NoticeRequest,
): Promise<void> {
  const { id, userId, title, body, taskId, requestedAt } = request
  const now = deps.clock.now()
  const notification: NewNotification['notification'] = {
    id,
    userId,
    source: `event/${id}`,
    type: 'notice',
    taskId,
    reminderId: null,
    title,
    body,
    late: now.getTime() - requestedAt.getTime() > LATE_AFTER_MS,
    createdAt: now,
    readAt: null,
  }
  const { audience } = await deps.preferences.get(userId)
  const announcement = { notification, channels: null, isUrgent: false, fireAt: requestedAt }
  const decided = decideNotification(announcement, audience, { now, newId: deps.ids.uuid })
  const decision = { ...decided, facts: [createdFact(notification), ...decided.facts] }
  const { trace, madeBy } = request
  const origin = systemOrigin('notifications', { userId, now, trace, madeBy })
  const { outcome } = await request.commit(toChange(deps, origin, decision))
  // A conflict: the notification exists, so the event was dealt with before its mark was forgotten.
  if (outcome === 'applied') deps.publishing.wake()
}
