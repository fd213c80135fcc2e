import { NOTIFIED_BY_ANOTHER } from '../../shared/domain/notifications/new-notification.ts'
import type { Sql } from '../../shared/db/connect.ts'
import type { Channel, NotificationView } from '../../shared/domain/notifications/notification.ts'
import type { Fault } from '../faults/oracle.ts'
import type { EventRow } from '../faults/series-model.ts'
import type { Person } from './client.ts'
import type { Heard, Hook } from './receivers.ts'
import { channelsOf, remindersSetBy } from './reminder-load.ts'
import { replayReminders, type Firing } from './reminder-model.ts'

/** What arrived outside. */
export interface Arrived {
  hooks: readonly Hook[]
  /** Ids of the deliveries whose mail lies in the mailbox. */
  mails: readonly string[]
}

interface Line {
  id: string
  notification_id: string
  reminder_id: string
  task_id: string
  fire_at: Date
  channel: Channel
  state: string
  reason: string | null
}

export interface ToldFiring extends Firing {
  /** Without those on which another reminder of the task had told it. */
  toldOn: readonly Channel[]
}

const ONCE = 'one line of the ledger per firing and channel'
const OUTSIDE = 'outside, a repetition has the same id'

/** Judges one person's reminders by events, ledger and what arrived outside. Resolves to the firings. */
export async function judgeReminders(
  sql: Sql,
  person: Person,
  { events, arrived }: { events: readonly EventRow[]; arrived: Arrived },
  fault: Fault,
): Promise<ToldFiring[]> {
  const { firings, pending, known } = replayReminders(events, Date.now(), fault)
  for (const { id } of remindersSetBy(person))
    if (!known.has(id)) fault('a reminder that was accepted is there', id)
  await checkRows(sql, person, pending, fault)
  const all = await sql<Line[]>`
    select d.id, notification_id, d.reminder_id, d.task_id, fire_at, channel, state, reason
    from deliveries d join notifications n on n.id = notification_id
    where d.user_id = ${person.id} and n.type <> 'confirmation'`
  checkLedger(firings, all, fault)
  const lines = all.filter((line) => !isSilent(line))
  checkSilence(all.filter(isSilent), lines, fault)
  checkTold(events, lines, fault)
  checkOutside(lines, arrived, fault)
  const byNotification = Map.groupBy(lines, (line) => line.notification_id)
  const toldOn = (id: string) => (byNotification.get(id) ?? []).map(({ channel }) => channel)
  return firings.map((firing) => ({ ...firing, toldOn: toldOn(firing.notificationId) }))
}

/** The rows say what the events say of what is still to come. */
async function checkRows(
  sql: Sql,
  { id }: Person,
  pending: ReadonlyMap<string, number>,
  fault: Fault,
): Promise<void> {
  const rows = await sql<{ id: string; fire_at: Date }[]>`
    select id, fire_at from reminders where user_id = ${id} and fire_at is not null order by id`
  const found = rows.map((row) => `${row.id} ${row.fire_at.getTime()}`)
  const told = [...pending].map(([reminderId, at]) => `${reminderId} ${at}`)
  if (found.join() !== told.toSorted().join())
    fault('reminders are what their events say', `found ${found.join()}, told ${told.toSorted().join()}`)
}

function checkLedger(firings: readonly Firing[], lines: readonly Line[], fault: Fault): void {
  const byFiring = Map.groupBy(lines, (line) => `${line.reminder_id} ${line.fire_at.getTime()}`)
  for (const { reminderId, fireAt, wanted, notificationId } of firings) {
    const own = byFiring.get(`${reminderId} ${fireAt}`) ?? []
    byFiring.delete(`${reminderId} ${fireAt}`)
    const found = own.map(({ channel }) => channel).toSorted()
    if (found.join() !== channelsOf(wanted).join())
      fault(ONCE, `${reminderId} for ${new Date(fireAt).toISOString()}: ${found.join()}`)
    const strange = own.filter((line) => line.notification_id !== notificationId)
    if (strange.length > 0) fault(ONCE, `${reminderId}: of another notification`)
  }
  const strays = [...byFiring].filter(([, own]) => !own.every(isSilent)).map(([firing]) => firing)
  if (strays.length > 0) fault(ONCE, `never fired: ${strays.join()}`)
  const open = lines.filter((line) => line.state !== 'delivered' && !isSilent(line))
  if (open.length > 0)
    fault('everything is delivered', open.map(({ id, channel, state }) => `${id} ${channel} ${state}`).join())
}

/** A line is silent only where another reminder of the task told the same time on the same channel. */
function checkSilence(silent: readonly Line[], lines: readonly Line[], fault: Fault): void {
  const what = ({ task_id: taskId, fire_at: at, channel }: Line) => `${taskId} ${at.getTime()} ${channel}`
  const told = new Set(lines.map(what))
  const lost = silent.filter((line) => !told.has(what(line)))
  if (lost.length > 0) fault('what is silent was told by another', lost.map(({ id }) => id).join())
}

/** Another reminder of the task had the same time. */
const isSilent = ({ state, reason }: Line): boolean => state === 'cancelled' && reason === NOTIFIED_BY_ANOTHER

/** `notification.sent` once per delivery. */
function checkTold(events: readonly EventRow[], lines: readonly Line[], fault: Fault): void {
  const sent = events
    .filter(({ type }) => type === 'notification.sent')
    .map(({ data }) => (data as { delivery_id?: string }).delivery_id!)
  if (
    sent.toSorted().join() !==
    lines
      .map(({ id }) => id)
      .toSorted()
      .join()
  )
    fault('a delivery is told of once', `${sent.length} events of ${lines.length} deliveries`)
}

function checkOutside(lines: readonly Line[], { hooks, mails }: Arrived, fault: Fault): void {
  const ids = (channel: Channel) => lines.filter((line) => line.channel === channel).map(({ id }) => id)
  const lostMails = ids('email').filter((id) => !mails.includes(id))
  if (lostMails.length > 0) fault('every mail arrives', lostMails.join())
  const byNotification = Map.groupBy(hooks, ({ notificationId }) => notificationId)
  for (const { id, notification_id: about, channel } of lines) {
    if (channel !== 'webhook') continue
    const got = new Set(byNotification.get(about)?.map((hook) => hook.id))
    if (got.size === 0) fault('every webhook arrives', id)
    else if (got.size > 1 || !got.has(id)) fault(OUTSIDE, `${id} came as ${[...got].join()}`)
  }
}

/** All that came to the receivers is somebody's delivery. */
export async function checkStrangers(sql: Sql, { hooks, mails }: Arrived, fault: Fault): Promise<void> {
  const rows = await sql<{ id: string }[]>`select id from deliveries`
  const known = new Set(rows.map(({ id }) => id))
  const strange = [...hooks.map(({ id }) => id), ...mails].filter((id) => !known.has(id))
  if (strange.length > 0) fault(OUTSIDE, `nobody sent ${[...new Set(strange)].join()}`)
}

/** The list shows every firing in the app once, and the stream brought each once and in order. */
export function checkInApp(
  firings: readonly ToldFiring[],
  { listed, heard }: { listed: readonly NotificationView[]; heard: readonly Heard[] },
  fault: Fault,
): void {
  const told = firings
    .filter(({ toldOn }) => toldOn.includes('in_app'))
    .map(({ notificationId }) => notificationId)
    .toSorted()
  const shown = listed.map(({ id }) => id).toSorted()
  if (shown.join() !== told.join())
    fault('the list shows each notification once', `${shown.length} shown, ${told.length} told`)
  const came = heard.map(({ notificationId }) => notificationId).toSorted()
  if (came.join() !== told.join())
    fault('the stream brings each notification once', `${came.length} came, ${told.length} told`)
  if (heard.some(({ seq }, nth) => nth > 0 && seq <= heard[nth - 1]!.seq))
    fault('the stream keeps the order', heard.map(({ seq }) => seq).join())
}
