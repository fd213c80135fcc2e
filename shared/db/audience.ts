import type { ChangedPreferences } from '../domain/decision.ts'
import { TOO_MANY_MAILS } from '../domain/notifications/new-notification.ts'
import {
  DEFAULT_PREFERENCES,
  type Audience,
  type Preferences,
  type QuietHours,
} from '../domain/notifications/notification-preferences.ts'
import type { Sql, SqlFragment, Transaction } from './connect.ts'

export interface PreferencesRow {
  channels: Partial<Preferences['channels']>
  quiet_hours: QuietHours | null
  daily_digest_at: string | null
  default_reminder_minutes: number | null
  time_zone: string | null
  webhook_url: string | null
  webhook_secret: string | null
  webhook_id: string | null
  webhook_confirmed_at: Date | string | null
  version: number
}

export interface AudienceJson {
  user_id: string
  account: { time_zone: string; has_email: boolean; is_email_confirmed: boolean } | null
  preferences: PreferencesRow | null
  subscriptions: Audience['subscriptions'] | null
}

/**
 * An expression for the select list of any query: the audience of the user whose id `owner` stands for, as JSON that
 * {@link audienceFromJson} reads. Three look-ups by index, none of the caller's rows is doubled. `a`, `p` and `s` are its own
 * aliases: `owner` is of another.
 *
 *     sql<{ audience: AudienceJson }[]>`select ${audienceOf(sql, sql`d.user_id`)} as audience from deliveries d`
 */
export const audienceOf = (sql: Sql | Transaction, owner: SqlFragment) => sql`jsonb_build_object(
  'user_id', ${owner},
  'account', (select jsonb_build_object('time_zone', a.time_zone, 'has_email', a.email is not null,
      'is_email_confirmed', a.email_confirmed_at is not null)
    from users a where a.id = ${owner}),
  'preferences', (select to_jsonb(p) from notification_preferences p where p.user_id = ${owner}),
  'subscriptions', (select jsonb_agg(jsonb_build_object(
      'id', s.id, 'channel', s.channel, 'isConfirmed', s.confirmed_at is not null) order by s.id)
    from push_subscriptions s where s.user_id = ${owner}))`

/** A user without an account row, as one of an issuer that has been removed, still has the app. */
export function audienceFromJson({ user_id, account, preferences, subscriptions }: AudienceJson): Audience {
  const chosen = preferences ? preferencesFromRow(preferences) : DEFAULT_PREFERENCES
  return {
    userId: user_id,
    timeZone: chosen.timeZone ?? account?.time_zone ?? 'UTC',
    preferences: chosen,
    hasEmail: account?.has_email ?? false,
    isEmailConfirmed: account?.is_email_confirmed ?? false,
    subscriptions: subscriptions ?? [],
  }
}

/** A type of notification that came after the row was written has its default channels. */
const preferencesFromRow = (row: PreferencesRow): Preferences => ({
  channels: { ...DEFAULT_PREFERENCES.channels, ...row.channels },
  quietHours: row.quiet_hours,
  dailyDigestAt: row.daily_digest_at,
  defaultReminderMinutes: row.default_reminder_minutes,
  timeZone: row.time_zone,
  webhookUrl: row.webhook_url,
  webhookSecret: row.webhook_secret,
  webhookId: row.webhook_id,
  webhookConfirmedAt: row.webhook_confirmed_at === null ? null : new Date(row.webhook_confirmed_at),
  version: row.version,
})

/** The row as commit_reminding takes it, and what no quiet hours have held back. */
export const preferencesToRow = (
  { preferences, nextDigestAt }: ChangedPreferences,
  now: Date,
): PreferencesRow & { next_digest_at: Date | null; updated_at: Date; stays_held_for: string } => ({
  stays_held_for: TOO_MANY_MAILS,
  channels: preferences.channels,
  quiet_hours: preferences.quietHours,
  daily_digest_at: preferences.dailyDigestAt,
  default_reminder_minutes: preferences.defaultReminderMinutes,
  time_zone: preferences.timeZone,
  webhook_url: preferences.webhookUrl,
  webhook_secret: preferences.webhookSecret,
  webhook_id: preferences.webhookId,
  webhook_confirmed_at: preferences.webhookConfirmedAt,
  next_digest_at: nextDigestAt,
  version: preferences.version,
  updated_at: now,
})
