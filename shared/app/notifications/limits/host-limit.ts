import type { Destination, DueDelivery } from '../ports.ts'
import { admitDelivery, type Limiting } from './count-messages.ts'
import { namedHost } from './named-host.ts'

const TOO_MANY = 'too many messages to this host within an hour'
/** Where the browsers of everybody are reached. They know us by our VAPID key and limit us themselves. */
const PUSH_SERVICES =
  /^(fcm\.googleapis\.com|(.+\.)?(push\.services\.mozilla\.com|notify\.windows\.com|push\.apple\.com))$/

/**
 * Counts a try to reach a host that users name, or puts it off to the hour in which there is room for it; false when it was
 * put off. So no host gets more than it can be asked to bear, however many users name it and however.
 */
export async function admitToHost(
  deps: Limiting,
  { delivery, notification: { type }, destination }: DueDelivery,
): Promise<boolean> {
  const host = limitedHost(destination)
  if (host === undefined) return true
  const { maxFirstMessagesPerHost, maxDeliveriesPerHost } = deps.settings
  const [what, most] =
    type === 'confirmation'
      ? ['first messages', maxFirstMessagesPerHost]
      : ['deliveries', maxDeliveriesPerHost]
  if (most === 0) return true
  return admitDelivery(deps, delivery, { name: `${what} to host ${host}`, most }, { reason: TOO_MANY })
}

function limitedHost(destination: Destination): string | undefined {
  const host = namedHost(destination)
  const isPushService = destination.channel === 'web_push' && host !== undefined && PUSH_SERVICES.test(host)
  return isPushService ? undefined : host
}
