import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

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
