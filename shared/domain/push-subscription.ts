import { z } from 'zod'
import { instantText, uuid } from './fields.ts'

export const PushSubscriptionId = uuid

/** A household has more devices than a person, and each message goes to every one. */
export const MOST_PUSH_SUBSCRIPTIONS = 10

const unpadded = (text: string): string => text.replace(/=+$/, '')

/** What a browser's `PushSubscription.toJSON()` gives (W3C Push API §8), or what FCM calls a phone. */
export const PushSubscriptionInput = z
  .union([
    z.strictObject({
      endpoint: z.url().max(2048).describe('Of the push service; must be https'),
      keys: z.strictObject({
        p256dh: z
          .string()
          .regex(/^B[\w-]{86}=*$/, 'must be an uncompressed P-256 point in base64url')
          .transform(unpadded),
        auth: z
          .string()
          .regex(/^[\w-]{22}=*$/, 'must be 16 bytes in base64url')
          .transform(unpadded),
      }),
      expirationTime: z.number().nullish().describe('Not used: a push service says itself when one is gone'),
    }),
    z.strictObject({
      fcm_token: z.string().regex(/^[\w:.-]{20,4096}$/, 'must be a registration token'),
    }),
  ])
  .meta({ id: 'PushSubscriptionInput' })
export type PushSubscriptionInput = z.infer<typeof PushSubscriptionInput>

export const PushSubscriptionView = z
  .object({
    id: z.uuid(),
    channel: z.enum(['web_push', 'mobile_push']),
    endpoint_host: z.string().nullable().describe('Of the push service; the rest of its URL is a secret'),
    created_at: instantText,
  })
  .meta({ id: 'PushSubscription' })
export type PushSubscriptionView = z.infer<typeof PushSubscriptionView>

export const PushSubscriptionList = z
  .object({ items: z.array(PushSubscriptionView) })
  .meta({ id: 'PushSubscriptionList' })
export type PushSubscriptionList = z.infer<typeof PushSubscriptionList>

export const PushKeyView = z
  .object({ public_key: z.string().describe('For `applicationServerKey` of `pushManager.subscribe`') })
  .meta({ id: 'PushKey' })
export type PushKeyView = z.infer<typeof PushKeyView>

export const pushSubscriptionView = (subscription: {
  id: string
  channel: 'web_push' | 'mobile_push'
  endpoint: string
  createdAt: Date
}): PushSubscriptionView => ({
  id: subscription.id,
  channel: subscription.channel,
  endpoint_host: subscription.channel === 'web_push' ? new URL(subscription.endpoint).host : null,
  created_at: subscription.createdAt.toISOString(),
})
