import { join, resolve } from 'node:path'
import type { Config } from '../shared/config.ts'
import { zoneDatabase } from '../shared/kit/system.ts'

interface Started {
  url: string
  /** Where a database of its own lies. */
  dataDir: string
  /** How many tasks and series a newer zone database has moved. */
  moved?: number
}

/** What a starter prints when everything runs. */
export function whereThingsAre(config: Config, { url, dataDir, moved = 0 }: Started): string {
  return [
    `Daybook is ready at ${url}`,
    `  API reference  ${url}/docs`,
    `  data           ${config.database.url === undefined ? resolve(dataDir) : 'the database in DATABASE_URL'}`,
    `  mail           ${mailOf(config)}`,
    ...(moved > 0
      ? [`  time zones     tasks and series moved by zone database ${zoneDatabase}: ${moved}`]
      : []),
    '',
  ].join('\n')
}

/** Without user and password. */
function mailOf({ environment, mailRelay, dataDir }: Config): string {
  if (environment['DAYBOOK_MAIL_URL']) return 'the mail service in DAYBOOK_MAIL_URL'
  if (mailRelay.smtpUrl !== undefined) return `the mail server ${new URL(mailRelay.smtpUrl).host}`
  return `files in ${resolve(join(dataDir, 'mailbox'))}`
}
