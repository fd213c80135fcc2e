import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Ids of the deliveries whose mail lies in the folder, which is made with the first mail. */
export const mailsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.eml'))
        .map((file) => file.replace('.eml', ''))
    : []

/** The mails that hold this text, whole. */
export const mailsAbout = (folder: string, text: string): string[] =>
  mailsIn(folder)
    .map((id) => readFileSync(join(folder, `${id}.eml`), 'utf8'))
    .filter((mail) => mail.includes(text))

const COMES_WITHIN_MS = 30_000

/** Does what the mail asks that lies in the folder or comes there soon: posts its token, so that mail goes to the address. */
export async function confirmAddress(
  folder: string,
  address: string,
  post: (path: string, json: { token: string }) => Promise<{ status: number; text: string }>,
): Promise<void> {
  for (const end = Date.now() + COMES_WITHIN_MS; ; await delay(200)) {
    const token = mailsAbout(folder, `To: ${address}`).map(confirmationToken).find(Boolean)
    if (token !== undefined) {
      const { status, text } = await post('/api/auth/confirm', { token })
      if (status !== 204) throw new Error(`POST /api/auth/confirm answered ${status}: ${text}`)
      return
    }
    if (Date.now() > end) throw new Error(`no mail asked ${address} for confirmation`)
  }
}

/** Of a link, or bare where no pages are known; quoted-printable (RFC 2045 §6.7) breaks it. */
const confirmationToken = (mail: string): string | undefined =>
  /(?:confirm\?token=|within a day: )([\w.-]+)/.exec(mail.replaceAll('=\r\n', '').replaceAll('=3D', '='))?.[1]
