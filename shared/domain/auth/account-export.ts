import { z } from 'zod'
import { CloudEvent } from '../cloud-event.ts'
import { instantText, occurrenceText } from '../fields.ts'
import { CHANNELS, DELIVERY_STATES, NotificationView } from '../notifications/notification.ts'
import { PreferencesView } from '../notifications/notification-preferences.ts'
import { SeriesView } from '../recurrence/series.ts'
import { ReminderView } from '../reminders/reminder.ts'
import { TaskView } from '../tasks/task.ts'
import { ApiTokenList } from './api-token.ts'
import { MeView } from './identity.ts'

/** Everything of an account, as the API shows it where it does. */
export const AccountExport = z
  .object({
    exported_at: instantText,
    account: MeView,
    preferences: PreferencesView,
    tasks: z
      .array(TaskView.extend({ reminders: z.array(ReminderView) }))
      .describe('Deleted ones included, until they are purged'),
    series: z.array(SeriesView),
    occurrences: z.array(
      z.object({
        series_id: z.uuid(),
        occurrence_at: occurrenceText,
        state: z.enum(['open', 'completed', 'skipped', 'missed']),
        task_id: z.uuid().nullable(),
        closed_at: instantText.nullable(),
      }),
    ),
    notifications: z.array(
      NotificationView.extend({
        deliveries: z.array(
          z.object({
            id: z.uuid(),
            channel: z.enum(CHANNELS),
            fire_at: instantText,
            state: z.enum(DELIVERY_STATES),
            attempts: z.int(),
            delivered_at: instantText.nullable(),
            reason: z.string().nullable(),
          }),
        ),
      }),
    ),
    push_subscriptions: z.array(
      z.object({
        id: z.uuid(),
        channel: z.enum(CHANNELS),
        endpoint: z.string(),
        created_at: instantText,
        confirmed_at: instantText.nullable(),
        session_id: z.uuid().nullable(),
      }),
    ),
    sessions: z.array(
      z.object({
        id: z.uuid(),
        created_at: instantText,
        refreshed_at: instantText.nullable(),
        expires_at: instantText,
        revoked_at: instantText.nullable(),
        client_address: z.string().nullable(),
        user_agent: z.string().nullable(),
        client_id: z.string().nullable(),
        scopes: z.array(z.string()).nullable(),
      }),
    ),
    api_tokens: ApiTokenList.shape.items,
    external_identities: z.array(z.object({ issuer: z.string(), subject: z.string() })),
    events: z.array(CloudEvent),
  })
  .meta({ id: 'AccountExport' })
export type AccountExport = z.infer<typeof AccountExport>
