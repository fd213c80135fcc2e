import { z } from 'zod'
import type { SendResult, Senders } from '../app/notifications/ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { resultOf } from './answered.ts'
import type { GoogleToken } from './google-token.ts'
import { pushPayload } from './send-web-push.ts'

const BINDING = 'push'
/** How long Google keeps a message for a phone that is off. */
const TTL = '86400s'
/** With what a token may take before (5 s for the secret, 10 s for Google) shorter than any try may be. */
const TIMEOUT_MS = 9_000

const Refusal = z.object({
  error: z.object({ details: z.array(z.object({ errorCode: z.string().optional() })).default([]) }),
})

/** FCM HTTP v1 through the output binding `push`. Without a project mobile push is not configured. */
export function createMobilePushSender(
  { invokeBinding }: Pick<DaprClient, 'invokeBinding'>,
  token: GoogleToken,
  clock: { now(): Date },
  project: string | undefined,
): Senders['mobile_push'] {
  return async ({ id, notification }, destination) => {
    if (project === undefined) return { outcome: 'refused', reason: 'mobile push is not configured' }
    const { title, body, ...facts } = pushPayload(notification)
    const accessToken = await token.get()
    const { data: answer, metadata } = await invokeBinding(BINDING, {
      operation: 'post',
      data: {
        message: {
          token: destination.token,
          notification: { title, body },
          // FCM takes nothing but text here.
          data: Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value ?? '')])),
          android: {
            collapse_key: id,
            ttl: TTL,
            notification: { tag: id },
            priority: notification.type === 'reminder' ? 'HIGH' : 'NORMAL',
          },
          apns: { headers: { 'apns-collapse-id': id } },
        },
      },
      metadata: { path: `${project}/messages:send`, Authorization: `Bearer ${accessToken}` },
      timeoutMs: TIMEOUT_MS,
    })
    const status = Number(metadata['statuscode'])
    if (!Number.isInteger(status)) return { outcome: 'failed', reason: 'the push binding returned no status' }
    if (status === 401) token.forget(accessToken)
    return fcmResult({ status, retryAfter: metadata['retry-after'] }, answer, clock.now())
  }
}

/** Only UNREGISTERED says that the phone is gone; a bare 404 may be a project that does not exist. */
function fcmResult(
  answer: { status: number; retryAfter: string | undefined },
  body: string,
  now: Date,
): SendResult {
  if (answer.status === 404) {
    const reason = 'FCM answered 404'
    return isUnregistered(body) ? { outcome: 'gone', reason } : { outcome: 'failed', reason }
  }
  return resultOf('FCM', answer, now)
}

function isUnregistered(body: string): boolean {
  try {
    const { error } = Refusal.parse(JSON.parse(body))
    return error.details.some(({ errorCode }) => errorCode === 'UNREGISTERED')
  } catch {
    return false
  }
}
