import type { Notification } from '../../shared/domain/notifications/notification.ts'
import { systemIds } from '../../shared/kit/system.ts'
import type { Message } from '../../shared/app/notifications/ports.ts'

/** What no reason and no log may contain. */
export const TITLE = 'Secret surprise party'

export function aMessage(said: Partial<Notification> = {}): Message {
  return {
    id: systemIds.uuid(),
    notification: {
      id: systemIds.uuid(),
      userId: systemIds.uuid(),
      source: 'event/1',
      type: 'reminder',
      taskId: systemIds.uuid(),
      reminderId: null,
      title: TITLE,
      body: 'Due at nine.',
      late: false,
      createdAt: new Date('2026-03-02T12:00:00.000Z'),
      readAt: null,
      ...said,
    },
  }
}
