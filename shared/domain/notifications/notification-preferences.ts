import { z } from 'zod'
import { nextDigestAt } from './digest-time.ts'
import { instantText, timeZone } from '../fields.ts'
import { MAX_MINUTES_BEFORE } from '../reminders/reminder.ts'
import { ChannelInput, CHANNELS, NOTIFICATION_TYPES, type Channel, type ChosenType } from './notification.ts'

/** Wall-clock times `HH:MM` of the user's zone; `end` before `start` lies on the next day. */
export interface QuietHours {
  start: string
  end: string
}

/** How a user wants to be notified. Without a row of their own everybody has {@link DEFAULT_PREFERENCES}. */
export interface Preferences {
  channels: Readonly<Record<ChosenType, readonly Channel[]>>
  quietHours: QuietHours | null
  /** When the digest of the day comes, `HH:MM` of the user's zone; null: never. */
  dailyDigestAt: string | null
  /** So long before the due time of a task the app tells of it without being asked; null: never. */
  defaultReminderMinutes: number | null
  /** IANA zone; null: the account's. */
  timeZone: string | null
  webhookUrl: string | null
  /** Signs what is sent to `webhookUrl` (Standard Webhooks, `whsec_…`). */
  webhookSecret: string | null
  /** New with each URL. */
  webhookId: string | null
  /** When it answered the first message; until then it gets no other. */
  webhookConfirmedAt: Date | null
  /** 0 until they are set for the first time. */
  version: number
}

const EVERYWHERE = ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'] as const

export const DEFAULT_PREFERENCES: Preferences = {
  channels: {
    reminder: EVERYWHERE,
    quiet_digest: EVERYWHERE,
    daily_digest: ['in_app', 'email'],
    notice: ['in_app'],
  },
  quietHours: null,
  dailyDigestAt: null,
  defaultReminderMinutes: 60,
  timeZone: null,
  webhookUrl: null,
  webhookSecret: null,
  webhookId: null,
  webhookConfirmedAt: null,
  version: 0,
}

/** Whom a notification is for and how they can be reached: all that routing depends on. */
export interface Audience {
  userId: string
  timeZone: string
  preferences: Preferences
  /** Whether the account has an address; only ever the account's own. */
  hasEmail: boolean
  isEmailConfirmed: boolean
  subscriptions: readonly { id: string; channel: 'web_push' | 'mobile_push'; isConfirmed: boolean }[]
}

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00')

const quietHours = z
  .strictObject({ start: clockTime, end: clockTime })
  .refine(({ start, end }) => start !== end, { path: ['end'], message: 'must differ from start' })
  .nullable()
  .describe(
    'No notifications between these times of the zone, except of high-priority tasks; null: no quiet hours',
  )

const dailyDigest = z
  .strictObject({ at: clockTime })
  .nullable()
  .describe('When the daily digest is sent; null: never')

const someChannels = z
  .array(ChannelInput)
  .min(1)
  .transform((list) => [...new Set(list)])

const byType = <Schema extends z.ZodType>(schema: (type: ChosenType) => Schema) =>
  Object.fromEntries(NOTIFICATION_TYPES.map((type) => [type, schema(type)])) as Record<ChosenType, Schema>

export const PreferencesInput = z
  .strictObject({
    channels: z
      .strictObject(byType((type) => someChannels.default([...DEFAULT_PREFERENCES.channels[type]])))
      .prefault({}),
    quiet_hours: quietHours.default(null),
    daily_digest: dailyDigest.default(null),
    default_reminder_minutes: z
      .int()
      .min(0)
      .max(MAX_MINUTES_BEFORE)
      .nullable()
      .default(DEFAULT_PREFERENCES.defaultReminderMinutes)
      .describe(
        'A reminder in the app so long before the due time of tasks that get one from now on; null: none',
      ),
    time_zone: timeZone.nullable().default(null).describe("IANA zone; null: the account's"),
    webhook_url: z
      .string()
      .max(2048)
      .nullable()
      .default(null)
      .describe(
        'Gets a signed message of type notification.confirmation first, which it must answer with 2xx',
      ),
  })
  .meta({
    id: 'PreferencesInput',
    examples: [
      {
        channels: { reminder: ['in_app', 'email'] },
        quiet_hours: { start: '22:00', end: '07:00' },
        daily_digest: { at: '08:00' },
        time_zone: 'Europe/Berlin',
      },
    ],
  })
export type PreferencesInput = z.infer<typeof PreferencesInput>

export const PreferencesView = z
  .object({
    channels: z.object(byType(() => z.array(z.enum(CHANNELS)))),
    quiet_hours: z.object({ start: z.string(), end: z.string() }).nullable(),
    daily_digest: z.object({ at: z.string() }).nullable(),
    default_reminder_minutes: z.int().nullable(),
    time_zone: z.string().nullable(),
    webhook_url: z.string().nullable(),
    webhook_secret: z
      .string()
      .nullable()
      .describe('Signs what is sent to webhook_url (Standard Webhooks); a new one with every new URL'),
    webhook_confirmed_at: instantText
      .nullable()
      .describe('When webhook_url answered the challenge of its first message; until then it gets no other'),
    version: z.int().nonnegative(),
  })
  .meta({ id: 'Preferences' })
export type PreferencesView = z.infer<typeof PreferencesView>

export const preferencesView = (preferences: Preferences): PreferencesView => ({
  channels: byChannels(preferences.channels),
  quiet_hours: preferences.quietHours,
  daily_digest: preferences.dailyDigestAt === null ? null : { at: preferences.dailyDigestAt },
  default_reminder_minutes: preferences.defaultReminderMinutes,
  time_zone: preferences.timeZone,
  webhook_url: preferences.webhookUrl,
  webhook_secret: preferences.webhookSecret,
  webhook_confirmed_at: preferences.webhookConfirmedAt?.toISOString() ?? null,
  version: preferences.version,
})

/** Preferences in events: without what only its user may know, of a webhook its secret and all of its URL but the host. */
export const PreferencesRecord = PreferencesView.omit({ webhook_url: true, webhook_secret: true })
  .extend({ webhook_host: z.string().nullable(), webhook_id: z.uuid().nullable() })
  .meta({ id: 'PreferencesRecord' })
export type PreferencesRecord = z.infer<typeof PreferencesRecord>

export function preferencesRecord(preferences: Preferences): PreferencesRecord {
  const { webhook_url: url, webhook_secret: _secret, ...record } = preferencesView(preferences)
  return { ...record, webhook_host: url && new URL(url).host, webhook_id: preferences.webhookId }
}

const byChannels = (channels: Preferences['channels']): Record<ChosenType, Channel[]> =>
  Object.fromEntries(NOTIFICATION_TYPES.map((type) => [type, [...channels[type]]])) as Record<
    ChosenType,
    Channel[]
  >

export function decidePreferences(
  before: Preferences,
  input: PreferencesInput,
  {
    accountTimeZone,
    now,
    newSecret,
    newId,
  }: { accountTimeZone: string; now: Date; newSecret: () => string; newId: () => string },
): { preferences: Preferences; nextDigestAt: Date | null } {
  const { webhook_url: webhookUrl, daily_digest: digest } = input
  const hasSameUrl = webhookUrl === before.webhookUrl && before.webhookSecret !== null
  const newWebhook =
    webhookUrl === null
      ? { webhookSecret: null, webhookId: null, webhookConfirmedAt: null }
      : { webhookSecret: newSecret(), webhookId: newId(), webhookConfirmedAt: null }
  const { webhookSecret, webhookId, webhookConfirmedAt } = hasSameUrl ? before : newWebhook
  const preferences: Preferences = {
    channels: input.channels,
    quietHours: input.quiet_hours,
    dailyDigestAt: digest?.at ?? null,
    defaultReminderMinutes: input.default_reminder_minutes,
    timeZone: input.time_zone,
    webhookUrl,
    webhookSecret,
    webhookId,
    webhookConfirmedAt,
    version: before.version + 1,
  }
  const zone = preferences.timeZone ?? accountTimeZone
  return { preferences, nextDigestAt: digest && nextDigestAt(digest.at, zone, now) }
}

/** Preferences without a webhook, if there is one. */
export function withoutWebhook(before: Preferences): Preferences | null {
  if (before.webhookUrl === null) return null
  const none = { webhookUrl: null, webhookSecret: null, webhookId: null, webhookConfirmedAt: null }
  return { ...before, ...none, version: before.version + 1 }
}

/** Preferences by which a type is not sent by mail any more, but in the app if nowhere else; null when it is not now. */
export function withoutMail(before: Preferences, type: ChosenType): Preferences | null {
  if (!before.channels[type].includes('email')) return null
  const others = before.channels[type].filter((channel) => channel !== 'email')
  const left: readonly Channel[] = others.length > 0 ? others : ['in_app']
  return { ...before, channels: { ...before.channels, [type]: left }, version: before.version + 1 }
}
