import { createHmac } from 'node:crypto'
import type { Senders } from '../app/notifications/ports.ts'
import { notificationView } from '../domain/notifications/notification.ts'
import { resultOf } from './answered.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * A webhook after Standard Webhooks (standardwebhooks.com): `webhook-id` is that of the delivery on every try, the
 * signature is an HMAC-SHA256 over id, time of the try and body. A first message is taken by whoever answers its challenge
 * and nothing else: most of what answers 2xx to anything, or with what it was sent, never asked for messages.
 */
export function createWebhookSender(
  { post }: Pick<SafeFetch, 'post'>,
  clock: { now(): Date },
): Senders['webhook'] {
  return async ({ id, notification }, { url, secret }) => {
    const now = clock.now()
    const timestamp = String(Math.floor(now.getTime() / 1000))
    const view = notificationView(notification)
    const challenge =
      notification.type === 'confirmation' ? hmac(secret, `challenge ${id}`, 'base64url') : null
    const body = JSON.stringify({
      type: `notification.${notification.type}`,
      timestamp: notification.createdAt.toISOString(),
      data: challenge === null ? view : { ...view, challenge },
    })
    const answer = await post(url, {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Daybook',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${hmac(secret, `${id}.${timestamp}.${body}`, 'base64')}`,
      },
      body,
    })
    if (answer.status === 410) return { outcome: 'refused', reason: 'the webhook answered 410, gone' }
    const result = resultOf('the webhook', answer, now)
    if (result.outcome === 'delivered' && challenge !== null && answer.body.trim() !== challenge)
      return { outcome: 'refused', reason: 'the webhook did not answer the challenge' }
    // Its owner may be about to mend it, so what is wrong with the request today may be right tomorrow.
    return result.outcome === 'refused' ? { outcome: 'failed', reason: result.reason } : result
  }
}

/** `secret` is `whsec_` and the key in base64. */
function hmac(secret: string, content: string, encoding: 'base64' | 'base64url'): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return createHmac('sha256', key).update(content).digest(encoding)
}
