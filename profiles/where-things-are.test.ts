import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { readConfig } from '../shared/config.ts'
import { whereThingsAre } from './where-things-are.ts'

const said = (env: Record<string, string>, moved?: number) =>
  whereThingsAre(readConfig({ DAYBOOK_DATA_DIR: 'some/folder', ...env }), {
    url: 'http://127.0.0.1:8080',
    dataDir: 'some/folder/dapr',
    ...(moved !== undefined && { moved }),
  }).split('\n')

it('says where the API reference, the data and the mail are', () => {
  expect(said({})).toEqual([
    'Daybook is ready at http://127.0.0.1:8080',
    '  API reference  http://127.0.0.1:8080/docs',
    `  data           ${resolve('some/folder/dapr')}`,
    `  mail           files in ${resolve('some/folder/mailbox')}`,
    '',
  ])
})

it('says how many tasks and series a newer zone database has moved, and nothing when none', () => {
  expect(said({}, 3)).toEqual([
    ...said({}, 0).slice(0, -1),
    `  time zones     tasks and series moved by zone database ${process.versions['tz']}: 3`,
    '',
  ])
})

it('tells no password of a database or a mail server', () => {
  const secret = 'postgres://daybook:secret@db/daybook'
  const [, , data, mail] = said({
    DATABASE_URL: secret,
    MAIL_SMTP_URL: 'smtp://user:secret@mail.example:587',
  })
  expect([data, mail]).toEqual([
    '  data           the database in DATABASE_URL',
    '  mail           the mail server mail.example:587',
  ])
  expect(said({ DAYBOOK_MAIL_URL: 'https://mail.example/?key=secret' })[3]).toBe(
    '  mail           the mail service in DAYBOOK_MAIL_URL',
  )
})
