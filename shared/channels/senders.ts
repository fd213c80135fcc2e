import type { SignedLinks } from '../app/auth/ports.ts'
import type { PushKeys, SendResult, Senders } from '../app/notifications/ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { DaprError } from '../dapr/dapr-error.ts'
import { DomainError } from '../domain/errors.ts'
import { ChannelError } from './answered.ts'
import { createGoogleToken } from './google-token.ts'
import { pushContact } from './push-contact.ts'
import { OutboundError, type SafeFetch } from './safe-fetch.ts'
import { createMailSender } from './send-mail.ts'
import { createMobilePushSender } from './send-mobile-push.ts'
import { createWebhookSender } from './send-webhook.ts'
import { createWebPushSender } from './send-web-push.ts'

export interface SendersOptions {
  dapr: { invokeBinding: DaprClient['invokeBinding']; secrets: Pick<DaprClient['secrets'], 'get'> }
  outbound: Pick<SafeFetch, 'post'>
  pushKeys: PushKeys
  clock: { now(): Date }
  links: SignedLinks
  settings: {
    /** `Name <address>` or an address. */
    mailFrom: string
    publicUrl: () => string | undefined
    fcmProject: string | undefined
  }
}

/** How each channel carries a message out. */
export function createSenders({ dapr, outbound, pushKeys, clock, links, settings }: SendersOptions): Senders {
  const { mailFrom, publicUrl, fcmProject } = settings
  const contact = pushContact({ publicUrl: publicUrl(), mailFrom })
  const token = createGoogleToken(dapr.secrets, outbound, clock)
  return {
    email: careful(createMailSender(dapr, clock, { from: mailFrom, publicUrl, links })),
    web_push: careful(createWebPushSender(outbound, pushKeys, clock, contact)),
    mobile_push: careful(createMobilePushSender(dapr, token, clock, fcmProject)),
    webhook: careful(createWebhookSender(outbound, clock)),
  }
}

type Send<Input extends unknown[]> = (...input: Input) => Promise<SendResult>

/** Whatever is thrown becomes a result, with a reason that tells nothing of whom or what the message was for. */
function careful<Input extends unknown[]>(send: Send<Input>): Send<Input> {
  return async (...input) => {
    try {
      return await send(...input)
    } catch (error) {
      return resultOfError(error)
    }
  }
}

function resultOfError(error: unknown): SendResult {
  if (error instanceof OutboundError) {
    const reason = error.message
    return error.kind === 'forbidden' ? { outcome: 'refused', reason } : { outcome: 'failed', reason }
  }
  if (error instanceof DaprError) {
    const { operation, kind, status, isUndelivered } = error
    if (isUndelivered && status === null)
      return { outcome: 'unreachable', reason: 'the sidecar is unreachable' }
    return { outcome: 'failed', reason: `${operation}: ${kind}${status === null ? '' : ` ${status}`}` }
  }
  if (error instanceof ChannelError || error instanceof DomainError)
    return { outcome: 'failed', reason: error.message }
  return { outcome: 'failed', reason: `not sent: ${error instanceof Error ? error.name : 'unknown error'}` }
}
