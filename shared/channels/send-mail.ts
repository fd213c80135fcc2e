import type { Senders } from '../app/reminder-ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { resultOf } from './answered.ts'
import { mailContent } from './mail-content.ts'

const BINDING = 'mail'
/** A mail service may have to reach another one. The lease of a delivery is longer. */
const TIMEOUT_MS = 20_000

export interface MailSettings {
  /** `Name <address>` or an address. */
  from: string
  publicUrl: string | undefined
}

/**
 * Mail through the output binding `mail`, an HTTP binding that takes JSON in the shape of Resend's API
 * (resend.com/docs/api-reference/emails/send-email). A repetition has the same Idempotency-Key and Message-ID.
 */
export function createMailSender(
  { invokeBinding }: Pick<DaprClient, 'invokeBinding'>,
  clock: { now(): Date },
  { from, publicUrl }: MailSettings,
): Senders['email'] {
  const [, domain] = addressOf(from).split('@')
  return async ({ id, notification }, { address }) => {
    const { metadata } = await invokeBinding(BINDING, {
      operation: 'post',
      data: {
        ...{ from, to: [address] },
        ...(await mailContent(notification, publicUrl)),
        // RFC 3834: nobody's holiday notice has to answer this.
        headers: { 'Message-ID': `<${id}@${domain}>`, 'Auto-Submitted': 'auto-generated' },
      },
      metadata: { 'Idempotency-Key': id },
      timeoutMs: TIMEOUT_MS,
    })
    const status = Number(metadata['statuscode'])
    if (!Number.isInteger(status)) return { outcome: 'failed', reason: 'the mail binding names no status' }
    return resultOf('the mail service', { status, retryAfter: metadata['retry-after'] }, clock.now())
  }
}

/** The address in `Name <address>`. */
export const addressOf = (mailFrom: string): string =>
  /([^<>\s]+@[^<>\s]+)>?$/.exec(mailFrom)?.[1] ?? mailFrom
