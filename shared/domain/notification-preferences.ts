import { z } from 'zod'
import { nextDigestAt } from './digest-time.ts'
import { timeZone } from './fields.ts'
import { CHANNELS, NOTIFICATION_TYPES, type Channel, type NotificationType } from './notification.ts'

/** Wall-clock times `HH:MM` of the user's zone; `end` before `start` lies on the next day. */
export interface QuietHours {
  start: string
  end: string
}

/** How a user wants to be told of things. Without a row of their own everybody has {@link DEFAULT_PREFERENCES}. */
export interface Preferences {
  channels: Readonly<Record<NotificationType, readonly Channel[]>>
  quietHours: QuietHours | null
  /** When the digest of the day comes, `HH:MM` of the user's zone; null: never. */
  dailyDigestAt: string | null
  /** IANA zone; null: the account's. */
  timeZone: string | null
  webhookUrl: string | null
  /** Signs what is sent to `webhookUrl` (Standard Webhooks, `whsec_…`). */
  webhookSecret: string | null
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
  ...{ quietHours: null, dailyDigestAt: null, timeZone: null, webhookUrl: null, webhookSecret: null },
  version: 0,
}

/** Whom a notification is for and how they can be reached: all that routing depends on. */
export interface Audience {
  userId: string
  /** Of the preferences, else of the account. */
  timeZone: string
  preferences: Preferences
  /** Whether the account has an address; only ever the account's own. */
  hasEmail: boolean
  subscriptions: readonly { id: string; channel: 'web_push' | 'mobile_push' }[]
}

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00')

const quietHours = z
  .strictObject({ start: clockTime, end: clockTime })
  .refine(({ start, end }) => start !== end, { path: ['end'], message: 'must be another time than start' })
  .nullable()
  .describe(
    'Nothing is told between these times of the zone, except of tasks of high priority; null: never quiet',
  )

const dailyDigest = z
  .strictObject({ at: clockTime })
  .nullable()
  .describe('When the tasks of the day are told; null: never')

const someChannels = z
  .array(z.enum(CHANNELS))
  .min(1)
  .transform((list) => [...new Set(list)])

const byType = <Schema extends z.ZodType>(schema: (type: NotificationType) => Schema) =>
  Object.fromEntries(NOTIFICATION_TYPES.map((type) => [type, schema(type)])) as Record<
    NotificationType,
    Schema
  >

/** All preferences at once; what is left out takes its default. */
export const PreferencesInput = z
  .strictObject({
    channels: z
      .strictObject(byType((type) => someChannels.default([...DEFAULT_PREFERENCES.channels[type]])))
      .prefault({}),
    quiet_hours: quietHours.default(null),
    daily_digest: dailyDigest.default(null),
    time_zone: timeZone.nullable().default(null).describe("IANA zone; null: the account's"),
    webhook_url: z.string().max(2048).nullable().default(null),
  })
  .meta({ id: 'PreferencesInput' })
export type PreferencesInput = z.infer<typeof PreferencesInput>

export const PreferencesView = z
  .object({
    channels: z.object(byType(() => z.array(z.enum(CHANNELS)))),
    quiet_hours: z.object({ start: z.string(), end: z.string() }).nullable(),
    daily_digest: z.object({ at: z.string() }).nullable(),
    time_zone: z.string().nullable(),
    webhook_url: z.string().nullable(),
    webhook_secret: z
      .string()
      .nullable()
      .describe('Signs what is sent to webhook_url (Standard Webhooks); a new one with every new URL'),
    version: z.int().nonnegative(),
  })
  .meta({ id: 'Preferences' })
export type PreferencesView = z.infer<typeof PreferencesView>

export const preferencesView = (preferences: Preferences): PreferencesView => ({
  channels: byChannels(preferences.channels),
  quiet_hours: preferences.quietHours,
  daily_digest: preferences.dailyDigestAt === null ? null : { at: preferences.dailyDigestAt },
  time_zone: preferences.timeZone,
  webhook_url: preferences.webhookUrl,
  webhook_secret: preferences.webhookSecret,
  version: preferences.version,
})

/** In the order of the types, without what is no type any more. */
const byChannels = (channels: Preferences['channels']): Record<NotificationType, Channel[]> =>
  Object.fromEntries(NOTIFICATION_TYPES.map((type) => [type, [...channels[type]]])) as Record<
    NotificationType,
    Channel[]
  >

/** The preferences that replace others, with the time of the next digest of the day. */
export function decidePreferences(
  before: Preferences,
  input: PreferencesInput,
  { accountTimeZone, now, newSecret }: { accountTimeZone: string; now: Date; newSecret: () => string },
): { preferences: Preferences; nextDigestAt: Date | null } {
  const { webhook_url: webhookUrl, daily_digest: digest } = input
  const hasSameUrl = webhookUrl === before.webhookUrl && before.webhookSecret !== null
  const preferences: Preferences = {
    ...{ channels: input.channels, quietHours: input.quiet_hours, dailyDigestAt: digest?.at ?? null },
    ...{ timeZone: input.time_zone, webhookUrl },
    webhookSecret: webhookUrl === null ? null : hasSameUrl ? before.webhookSecret : newSecret(),
    version: before.version + 1,
  }
  const zone = preferences.timeZone ?? accountTimeZone
  return { preferences, nextDigestAt: digest && nextDigestAt(digest.at, zone, now) }
}
