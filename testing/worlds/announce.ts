import { toChange } from '../../shared/app/commit-decision.ts'
import type { ChangeStore } from '../../shared/app/ports.ts'
import { decideNotification } from '../../shared/domain/notifications/new-notification.ts'
import type { ChosenType } from '../../shared/domain/notifications/notification.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { aNotification } from '../builders/a-notification.ts'
import { anAudience } from '../builders/a-reminder.ts'

/** Writes a notification that the app shows, as any process may; resolves to its id. */
export async function announce(
  changes: Pick<ChangeStore, 'commit'>,
  userId: string,
  { title = 'Pay rent', type = 'reminder' }: { title?: string; type?: ChosenType } = {},
): Promise<string> {
  const [now, id] = [systemClock.now(), systemIds.uuid()]
  const said = { id, userId, source: `test/${id}`, title, body: '', createdAt: now }
  const notification = { ...aNotification({ ...said, taskId: null }), type }
  const decision = decideNotification(
    { notification, channels: ['in_app'], isUrgent: false, fireAt: now },
    anAudience({ userId }),
    { now, newId: systemIds.uuid },
  )
  const origin = { userId, actor: { type: 'system', id: 'test' } as const, now, trace: null }
  const result = await changes.commit(toChange({ ids: systemIds }, origin, decision))
  if (result.outcome !== 'applied') throw new Error(`the notification was not written: ${result.outcome}`)
  return id
}
