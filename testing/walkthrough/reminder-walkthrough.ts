import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createApiClient, type Person } from '../worlds/api-client.ts'
import { openEventStream, type EventStream } from '../worlds/event-stream.ts'
import { confirmAddress, mailsAbout } from '../worlds/mailbox.ts'
import { startRealDaybook } from '../faults/real-daybook.ts'

// What is promised of reminders, on `npm start` as a person runs it: one comes on time in the stream, in the list and as a
// mail; one whose time comes while Daybook and its PostgreSQL are dead comes after the restart, late and once.
const AHEAD_MS = 3000
/** From then on a reminder is called late, and a little. */
const AWAY_MS = 62_000
const COMES_WITHIN_MS = 10_000
/** What would come twice comes within this time. */
const TWICE_WITHIN_MS = 2000

interface Shown {
  id: string
  task_id: string
  title: string
  late: boolean
}

const dataDir = mkdtempSync(join(tmpdir(), 'daybook-reminder-'))
chmodSync(dataDir, 0o755)
const mailbox = join(dataDir, 'mailbox')
const daybook = startRealDaybook(dataDir)
const api = createApiClient(async (path, init) => fetch(`${await daybook.url()}${path}`, init))
const say = (line: string) => console.log(line)

function expect(isSo: boolean, promise: string): void {
  if (!isSo) throw new Error(`broken: ${promise}`)
  say(`kept: ${promise}`)
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + COMES_WITHIN_MS; Date.now() < end; await delay(50))
    if (await isSo()) return true
  return false
}

async function remind(person: Person, title: string): Promise<string> {
  const { id } = (await api.have(person, 'POST', '/api/tasks', { title })) as { id: string }
  const at = new Date(Date.now() + AHEAD_MS).toISOString()
  await api.have(person, 'POST', `/api/tasks/${id}/reminders`, { remind_at: at })
  return id
}

/** As a browser does it: with a ticket, and with the last id it saw when it comes back. */
async function listen(person: Person, lastSeen?: string): Promise<EventStream> {
  const { ticket } = (await api.have(person, 'POST', '/api/auth/ticket')) as { ticket: string }
  const headers = lastSeen === undefined ? {} : { 'last-event-id': lastSeen }
  return await openEventStream(`${await daybook.url()}/api/notifications/stream?ticket=${ticket}`, {
    headers,
  })
}

const remindersIn = ({ messages }: EventStream, taskId: string) =>
  messages
    .filter(({ event }) => event === 'reminder')
    .map(({ id, data }) => ({ seen: id, ...(JSON.parse(data) as Shown) }))
    .filter(({ task_id: about }) => about === taskId)

const listed = async (person: Person, taskId: string) => {
  const { items } = await api.have(person, 'GET', '/api/notifications')
  return (items as Shown[]).filter(({ task_id: about }) => about === taskId)
}

try {
  const person = await api.register()
  await confirmAddress(mailbox, person.email, (path, json) => api.ask('POST', path, { json }))
  const stream = await listen(person)

  const onTime = await remind(person, 'Water the ficus')
  expect(await until(() => remindersIn(stream, onTime).length > 0), 'a reminder comes through the stream')
  expect((await listed(person, onTime)).length === 1, 'it is in the list')
  expect(await until(() => mailsAbout(mailbox, 'Water the ficus').length === 1), 'it lies in the mailbox')
  const [first] = remindersIn(stream, onTime)
  expect(!first!.late, 'it does not say that it is late')

  const late = await remind(person, 'Feed the tortoise')
  const isBack = daybook.kill('machine', AHEAD_MS + AWAY_MS)
  say(`Daybook and PostgreSQL are killed with SIGKILL, and stay away for ${(AHEAD_MS + AWAY_MS) / 1000} s`)
  await isBack
  await daybook.url()
  const again = await listen(person, first!.seen)
  expect(await until(() => remindersIn(again, late).length > 0), 'after the restart the other one comes')
  await delay(TWICE_WITHIN_MS)
  const [second, ...more] = remindersIn(again, late)
  expect(more.length === 0, 'it comes through the stream once')
  expect(remindersIn(again, onTime).length === 0, 'the stream goes on after what was seen')
  expect(second!.late, 'it says that it is late')
  expect((await listed(person, late)).length === 1, 'it is in the list once')
  expect(
    await until(() => mailsAbout(mailbox, 'Feed the tortoise').length === 1),
    'one mail of it lies in the mailbox',
  )
  expect((await daybook.stop()) === 0, 'SIGTERM ends Daybook in order, with a stream open')
} finally {
  await daybook.destroy()
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
