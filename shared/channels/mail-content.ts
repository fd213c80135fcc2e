import { html } from 'hono/html'
import type { Notification, NotificationType } from '../domain/notification.ts'

/** What a subject says before the title; the title of a digest of quiet hours says it itself. */
const HEADING: Record<NotificationType, string> = {
  reminder: 'Reminder: ',
  quiet_digest: '',
  daily_digest: 'Your day: ',
  notice: 'Notice: ',
}
const LATE = 'This comes later than it was due.'

/** Subject and both bodies of a mail. Nothing of the notification becomes markup or starts a header. */
export async function mailContent(
  { type, title, body, late }: Notification,
  publicUrl: string | undefined,
): Promise<{ subject: string; html: string; text: string }> {
  const subject = `${HEADING[type]}${oneLine(title)}`
  const paragraphs = [...body.split(/\n{2,}/), ...(late ? [LATE] : [])].filter((text) => text.trim() !== '')
  const text = [oneLine(title), ...paragraphs, ...(publicUrl ? [`Open Daybook: ${publicUrl}`] : [])]
  return { subject, html: await page(subject, title, paragraphs, publicUrl), text: `${text.join('\n\n')}\n` }
}

async function page(
  subject: string,
  title: string,
  paragraphs: string[],
  publicUrl: string | undefined,
): Promise<string> {
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
          <h1 style="font-size:20px;margin:0 0 16px">${title}</h1>
          ${paragraphs.map((paragraph) => html`<p style="margin:0 0 16px">${lines(paragraph)}</p>`)}
          ${publicUrl ? html`<p style="margin:0"><a href="${publicUrl}">Open Daybook</a></p>` : ''}
        </main>
      </body>
    </html>`
  // Hono's type is a string, its value an object.
  return document.toString()
}

const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
