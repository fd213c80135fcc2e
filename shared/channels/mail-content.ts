import { html } from 'hono/html'
import type { ChosenType, Notification } from '../domain/notifications/notification.ts'

/** What a subject says before the title; the title of a digest of quiet hours says it itself. */
const HEADING: Record<ChosenType, string> = {
  reminder: 'Reminder: ',
  quiet_digest: '',
  daily_digest: 'Your day: ',
  notice: 'Notice: ',
}
const LATE = 'This notification is late.'

/** What a mail says: `title` and `paragraphs` may be a user's words, `links` are ours. */
export interface MailText {
  subject: string
  title: string
  paragraphs: string[]
  links: { text: string; url: string }[]
}

/** A notification as a mail, with the page that ends mails of its kind. */
export function notificationText(
  { type, title, body, late }: Notification & { type: ChosenType },
  { home, unsubscribe }: { home: string | undefined; unsubscribe: string | undefined },
): MailText {
  return {
    subject: `${HEADING[type]}${oneLine(title)}`,
    title,
    paragraphs: [...body.split(/\n{2,}/), ...(late ? [LATE] : [])].filter((text) => text.trim() !== ''),
    links: [
      ...(home === undefined ? [] : [{ text: 'Open Daybook', url: home }]),
      ...(unsubscribe === undefined ? [] : [{ text: 'Unsubscribe from these mails', url: unsubscribe }]),
    ],
  }
}

/** Says nothing that a user wrote, because anybody can have it sent to anybody. Without a page, the token goes to the API. */
export function confirmationText(token: string, page: string | undefined): MailText {
  const title = 'Confirm your address'
  return {
    subject: `${title} for Daybook`,
    title,
    paragraphs: [
      'Daybook was asked to send reminders to this address.',
      page === undefined
        ? `If it was you, send this token to POST /api/auth/confirm within a day: ${token}`
        : 'If it was you, open the page below within a day and press its button.',
      'If it was not you, ignore this mail: at most three such mails are sent in 30 days, and no others.',
    ],
    links: page === undefined ? [] : [{ text: 'Confirm this address', url: page }],
  }
}

/** What is said of an account says nothing that a user wrote either. */
export const passwordResetText = (token: string, page: string | undefined): MailText => ({
  subject: 'Set a new password for Daybook',
  title: 'Set a new password',
  paragraphs: [
    'Somebody asked to set a new password for the Daybook account of this address.',
    page === undefined
      ? `If it was you, send this token with the new password to POST /api/auth/password-reset/confirm within 30 minutes: ${token}`
      : 'If it was you, open the page below within 30 minutes.',
    'If it was not you, ignore this mail: the password stays as it is.',
  ],
  links: page === undefined ? [] : [{ text: 'Set a new password', url: page }],
})

export const PASSWORD_CHANGE_TEXT: MailText = {
  subject: 'Your password for Daybook was changed',
  title: 'Your password was changed',
  paragraphs: [
    'The password of your Daybook account was changed, and its other sessions were ended.',
    'If it was not you, ask for a mail to set a new password: whoever it was is signed out then.',
  ],
  links: [],
}

export const ADDRESS_CHANGE_TEXT: MailText = {
  subject: 'Your address for Daybook is about to change',
  title: 'Your address is about to change',
  paragraphs: [
    'Somebody who knows the password of your Daybook account asked for another address in the place of this one, which stays until the other one is confirmed.',
    'If it was not you, ask for a mail to set a new password now: that takes the other address back.',
  ],
  links: [],
}

/** Subject and both bodies of a mail. Nothing of the text becomes markup or starts a header. */
export async function mailContent(mail: MailText): Promise<{ subject: string; html: string; text: string }> {
  const { subject, title, paragraphs, links } = mail
  const text = [oneLine(title), ...paragraphs, ...links.map((link) => `${link.text}: ${link.url}`)]
  return { subject, html: await page(mail), text: `${text.join('\n\n')}\n` }
}

async function page({ subject, title, paragraphs, links }: MailText): Promise<string> {
  const lines = (paragraph: string) =>
    paragraph.split('\n').map((line, index) => (index === 0 ? html`${line}` : html`<br />${line}`))
  const document = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${subject}</title>
      </head>
      <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1f2933;background:#ffffff">
        <main style="max-width:36em;margin:0 auto">
          <h1 dir="auto" style="font-size:20px;margin:0 0 16px">${title}</h1>
          ${paragraphs.map((paragraph) => html`<p dir="auto" style="margin:0 0 16px">${lines(paragraph)}</p>`)}
          ${links.map(({ text, url }) => html`<p style="margin:0 0 8px"><a href="${url}">${text}</a></p>`)}
        </main>
      </body>
    </html>`
  // Hono's type is a string, its value an object.
  return document.toString()
}

const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
