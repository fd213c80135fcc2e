import type { SignedLinks } from '../app/auth/ports.ts'
import type { Senders, SendResult } from '../app/notifications/ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { CONFIRM_WITHIN_MS } from '../domain/notifications/confirmation.ts'
import { isChosen, type AccountMail, type Notification } from '../domain/notifications/notification.ts'
import { resultOf } from './answered.ts'
import {
  ADDRESS_CHANGE_TEXT,
  confirmationText,
  mailContent,
  notificationText,
  PASSWORD_CHANGE_TEXT,
  passwordResetText,
  type MailText,
} from './mail-content.ts'

const BINDING = 'mail'
/** A mail service may have to reach another one. The lease of a delivery is longer. */
const TIMEOUT_MS = 20_000

export interface MailSettings {
  /** `Name <address>` or an address. */
  from: string
  /** Where the pages are that links lead to; without it a mail has none. */
  publicUrl: () => string | undefined
  links: Pick<SignedLinks, 'confirmation' | 'passwordReset' | 'unsubscription'>
}

/**
 * Mail through the output binding `mail`, an HTTP binding that takes JSON in the shape of Resend's API
 * (resend.com/docs/api-reference/emails/send-email). A repetition has the same Idempotency-Key and Message-ID.
 */
export function createMailSender(
  { invokeBinding }: Pick<DaprClient, 'invokeBinding'>,
  clock: { now(): Date },
  { from, publicUrl, links }: MailSettings,
): Senders['email'] {
  const [, domain] = addressOf(from).split('@')

  /** The page of a token, or nowhere. */
  function pageOf(name: string, token: string): string | undefined {
    const home = publicUrl()
    return home === undefined ? undefined : `${home.replace(/\/$/, '')}/${name}?token=${token}`
  }
  async function partsOf(notification: Notification, address: string) {
    const { userId, type } = notification
    if (!isChosen(type)) return { text: await accountText({ ...notification, type }, address), headers: {} }
    const unsubscribe = pageOf('unsubscribe', await links.unsubscription(userId, type))
    return {
      text: notificationText({ ...notification, type }, { home: publicUrl(), unsubscribe }),
      headers: unsubscribe === undefined ? {} : unsubscribing(unsubscribe),
    }
  }
  async function accountText(
    { userId, type, createdAt }: Notification & { type: AccountMail | 'confirmation' },
    address: string,
  ): Promise<MailText | null> {
    switch (type) {
      case 'confirmation': {
        const until = new Date(createdAt.getTime() + CONFIRM_WITHIN_MS)
        const token = await links.confirmation(userId, address, until)
        return confirmationText(token, pageOf('confirm', token))
      }
      case 'password_reset': {
        const token = await links.passwordReset({ userId, address, askedAt: createdAt })
        return token === null ? null : passwordResetText(token, pageOf('reset-password', token))
      }
      case 'password_change':
        return PASSWORD_CHANGE_TEXT
      case 'address_change':
        return ADDRESS_CHANGE_TEXT
    }
  }

  return async ({ id, notification }, { address }) => {
    const { text, headers } = await partsOf(notification, address)
    if (text === null) return VOID
    const { metadata } = await invokeBinding(BINDING, {
      operation: 'post',
      data: {
        from,
        to: [address],
        ...(await mailContent(text)),
        headers: {
          'Message-ID': `<${id}@${domain}>`,
          // RFC 3834: nobody's holiday notice has to answer this.
          'Auto-Submitted': 'auto-generated',
          ...(notification.taskId !== null && threadOf(`<task.${notification.taskId}@${domain}>`)),
          ...headers,
        },
      },
      metadata: { 'Idempotency-Key': id },
      timeoutMs: TIMEOUT_MS,
    })
    const status = Number(metadata['statuscode'])
    if (!Number.isInteger(status)) return { outcome: 'failed', reason: 'the mail binding returned no status' }
    return resultOf('the mail service', { status, retryAfter: metadata['retry-after'] }, clock.now())
  }
}

const VOID: SendResult = {
  outcome: 'gone',
  reason: 'the password or the address has changed since this was asked for',
}

/** Mails of one task are replies to a mail that nobody has sent, so that readers show them as one thread (RFC 5322 §3.6.4). */
const threadOf = (root: string) => ({ References: root, 'In-Reply-To': root })

/** RFC 2369 and, which asks for https, RFC 8058. */
const unsubscribing = (page: string) => ({
  'List-Unsubscribe': `<${page}>`,
  ...(page.startsWith('https:') && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
})

/** The address in `Name <address>`. */
export const addressOf = (mailFrom: string): string =>
  /([^<>\s]+@[^<>\s]+)>?$/.exec(mailFrom)?.[1] ?? mailFrom
