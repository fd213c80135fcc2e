import type { PreferenceStore } from '../../app/notifications/ports.ts'
import { DEFAULT_PREFERENCES } from '../../domain/notifications/notification-preferences.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from '../audience.ts'
import type { Sql, Transaction } from '../connect.ts'

export const createPreferenceStore = (sql: Sql | Transaction): PreferenceStore => ({
  async get(userId) {
    const [row] = await sql<{ audience: AudienceJson }[]>`
      select ${audienceOf(sql, sql`u.id`)} as audience from (select ${userId}::uuid as id) u`
    const { audience } = row!
    return { audience: audienceFromJson(audience), accountTimeZone: audience.account?.time_zone ?? null }
  },
  async defaultReminderMinutes(userId) {
    const [row] = await sql<{ minutes: number | null }[]>`
      select default_reminder_minutes as minutes from notification_preferences where user_id = ${userId}`
    return row ? row.minutes : DEFAULT_PREFERENCES.defaultReminderMinutes
  },
})
