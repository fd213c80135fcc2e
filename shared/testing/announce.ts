import { toChange } from '../app/commit-decision.ts'
import type { ChangeStore } from '../app/ports.ts'
import { decideAnnouncement } from '../domain/announce.ts'
import { DEFAULT_PREFERENCES } from '../domain/notification-preferences.ts'
import type { NotificationType } from '../domain/notification.ts'
import { systemClock, systemIds } from '../kit/system.ts'

/** Writes a notification that the app shows, as any process may; resolves to its id. */
export async function announce(
  changes: Pick<ChangeStore, 'commit'>,
  userId: string,
  { title = 'Pay rent', type = 'reminder' }: { title?: string; type?: NotificationType } = {},
): Promise<string> {
  const [now, id] = [systemClock.now(), systemIds.uuid()]
  const notification = {
    ...{ id, userId, source: `test/${id}`, type, taskId: null, reminderId: null },
    ...{ title, body: '', late: false, createdAt: now, readAt: null },
  }
  const audience = {
    ...{ userId, timeZone: 'UTC', preferences: DEFAULT_PREFERENCES, hasEmail: false, subscriptions: [] },
  }
  const decision = decideAnnouncement(
    { notification, channels: ['in_app'], isUrgent: false, fireAt: now },
    audience,
    { now, newId: systemIds.uuid, factsBefore: 0 },
  )
  const origin = { userId, actor: { type: 'system', id: 'test' } as const, now, trace: null }
  const result = await changes.commit(toChange({ ids: systemIds }, origin, decision))
  if (result.outcome !== 'applied') throw new Error(`the notification was not written: ${result.outcome}`)
  return id
}
