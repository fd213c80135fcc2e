import { join, resolve } from 'node:path'
import type { Config } from '../shared/config.ts'

/** What a starter prints when everything runs. `dataDir` is where a database of its own lies. */
export function whereThingsAre(config: Config, { url, dataDir }: { url: string; dataDir: string }): string {
  return [
    `Daybook is ready at ${url}`,
    `  API reference  ${url}/docs`,
    `  data           ${config.database.url === undefined ? resolve(dataDir) : 'the database in DATABASE_URL'}`,
    `  mail           ${mailOf(config)}`,
    '',
  ].join('\n')
}

/** Without user and password. */
function mailOf({ environment, mailRelay, dataDir }: Config): string {
  if (environment['DAYBOOK_MAIL_URL']) return 'the mail service in DAYBOOK_MAIL_URL'
  if (mailRelay.smtpUrl !== undefined) return `the mail server ${new URL(mailRelay.smtpUrl).host}`
  return `files in ${resolve(join(dataDir, 'mailbox'))}`
}
