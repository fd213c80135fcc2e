import { createHmac } from 'node:crypto'
import type { Senders } from '../app/reminder-ports.ts'
import { notificationView } from '../domain/notification.ts'
import { resultOf } from './answered.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * A webhook after Standard Webhooks (standardwebhooks.com): `webhook-id` is that of the delivery on every try, the
 * signature is an HMAC-SHA256 over id, time of the try and body.
 */
export function createWebhookSender(
  { post }: Pick<SafeFetch, 'post'>,
  clock: { now(): Date },
): Senders['webhook'] {
  return async ({ id, notification }, { url, secret }) => {
    const now = clock.now()
    const timestamp = String(Math.floor(now.getTime() / 1000))
    const body = JSON.stringify({
      type: `notification.${notification.type}`,
      timestamp: notification.createdAt.toISOString(),
      data: notificationView(notification),
    })
    const answer = await post(url, {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Daybook',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature(secret, `${id}.${timestamp}.${body}`),
      },
      body,
    })
    if (answer.status === 410) return { outcome: 'refused', reason: 'the webhook answered 410, gone' }
    const result = resultOf('the webhook', answer, now)
    // Its owner may be about to mend it, so what is wrong with the request today may be right tomorrow.
    return result.outcome === 'refused' ? { outcome: 'failed', reason: result.reason } : result
  }
}

/** `secret` is `whsec_` and the key in base64. */
function signature(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}
