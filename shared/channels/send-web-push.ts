import webPush from 'web-push'
import type { PushKeys, Senders } from '../app/notifications/ports.ts'
import type { Notification } from '../domain/notifications/notification.ts'
import { resultOf } from './answered.ts'
import { NO_PUSH_CONTACT } from './push-contact.ts'
import type { SafeFetch } from './safe-fetch.ts'

/** How long a push service keeps a message for a browser that is off. */
const TTL_S = 24 * 60 * 60
/** A push message is at most 4096 bytes whole (RFC 8030 §7.2); a character may take four, or six as an escape. */
const MAX_CHARS = 255

/** What the service worker of the web client gets. */
export const pushPayload = ({ id, type, title, body, taskId, late }: Notification) => ({
  id,
  type,
  title: start(title),
  body: start(body),
  task_id: taskId,
  late,
})

/**
 * Web Push (RFC 8030): the message encrypted for the browser (RFC 8291), signed with our key (RFC 8292), replacing an
 * earlier try of itself that still waits (Topic). Without a `contact` (push-contact.ts) nothing is sent.
 */
export function createWebPushSender(
  { post }: Pick<SafeFetch, 'post'>,
  pushKeys: PushKeys,
  clock: { now(): Date },
  contact: string | null,
): Senders['web_push'] {
  return async ({ id, notification }, { endpoint, keys }) => {
    if (contact === null) return { outcome: 'refused', reason: NO_PUSH_CONTACT }
    const vapidDetails = { subject: contact, ...(await pushKeys.get()) }
    const payload = JSON.stringify(pushPayload(notification))
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys }, payload, {
      vapidDetails,
      TTL: TTL_S,
      topic: id.replaceAll('-', ''),
      urgency: notification.type === 'reminder' ? 'high' : 'normal',
    })
    const answer = await post(endpoint, { headers: headers ?? {}, body: body ?? '' })
    if (answer.status === 404 || answer.status === 410) {
      return { outcome: 'gone', reason: `the push service answered ${answer.status}` }
    }
    return resultOf('the push service', answer, clock.now())
  }
}

/** The first characters, none of them cut in half. */
function start(text: string): string {
  const characters = [...text]
  return characters.length <= MAX_CHARS ? text : `${characters.slice(0, MAX_CHARS - 1).join('')}…`
}
