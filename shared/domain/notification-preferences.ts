import type { Channel, NotificationType } from './notification.ts'

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
