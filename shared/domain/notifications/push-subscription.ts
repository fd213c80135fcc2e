import { z } from 'zod'
import { instantText, uuid } from '../fields.ts'

export const PushSubscriptionId = uuid

const unpadded = (text: string): string => text.replace(/=+$/, '')

/** What a browser's `PushSubscription.toJSON()` gives (W3C Push API §8), or what FCM calls a phone. */
export const PushSubscriptionInput = z
  .union([
    z.strictObject({
      endpoint: z.url().max(2048).describe('URL of the push service; must be https'),
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
      expirationTime: z.number().nullish().describe('Ignored: push services report expired subscriptions'),
    }),
    z.strictObject({
      fcm_token: z.string().regex(/^[\w:.-]{20,4096}$/, 'must be a registration token'),
    }),
  ])
  .meta({
    id: 'PushSubscriptionInput',
    // The keys of RFC 8291 §5.
    examples: [
      {
        endpoint: 'https://push.example.net/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV',
        keys: {
          p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
          auth: 'BTBZMqHH6r4Tts7J_aSIgg',
        },
      },
    ],
  })
export type PushSubscriptionInput = z.infer<typeof PushSubscriptionInput>

export const PushSubscriptionView = z
  .object({
    id: z.uuid(),
    channel: z.enum(['web_push', 'mobile_push']),
    endpoint_host: z.string().nullable().describe('Host of the push service; the rest of its URL is secret'),
    created_at: instantText,
    confirmed_at: instantText
      .nullable()
      .describe('When the push service took the first message; until then it gets no other'),
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
  confirmedAt: Date | null
}): PushSubscriptionView => ({
  id: subscription.id,
  channel: subscription.channel,
  endpoint_host: subscription.channel === 'web_push' ? new URL(subscription.endpoint).host : null,
  created_at: subscription.createdAt.toISOString(),
  confirmed_at: subscription.confirmedAt?.toISOString() ?? null,
})
