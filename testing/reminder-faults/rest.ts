import type { Fault } from '../faults/oracle.ts'
import type { Ledger } from './ledger.ts'
import type { Follower } from './reader.ts'
import type { Told } from './replay-model.ts'
import type { ReminderWorld } from './world.ts'

/** Judges what is left when nothing is to come any more: every line of the ledger is over, and tables say what was committed. */
export async function checkRest(
  world: ReminderWorld,
  { told, ledger, followers }: { told: Told; ledger: Ledger; followers: readonly Follower[] },
  fault: Fault,
): Promise<void> {
  for (const { delivery } of ledger.lines.values()) {
    if (delivery.state === 'triggered' || delivery.state === 'held') {
      fault('every delivery comes to an end', `${delivery.id} ${delivery.channel} is ${delivery.state}`)
    }
  }
  checkReports(ledger, fault)
  checkLetters(world, ledger, fault)
  await checkTables(world, told, ledger, fault)
  for (const { userId, seen } of followers) {
    const shown = [...ledger.notifications.values()].filter(
      (one) => one.userId === userId && one.seq !== null,
    )
    const expected = shown.toSorted((a, b) => a.seq! - b.seq!).map(({ id, seq }) => `${seq} ${id}`)
    const found = seen.map(({ id, seq }) => `${seq} ${id}`)
    if (expected.join() !== found.join())
      fault('whoever follows sees everything in order', `${found.join()}, not ${expected.join()}`)
  }
}

/** Each firing is reported once when nothing of it is left to be done. */
function checkReports({ notifications, lines, events }: Ledger, fault: Fault): void {
  const all = [...events.values()].flat()
  const reports = all.filter(({ type }) => type === 'reminder.sent' || type === 'reminder.failed')
  for (const { id, type, reminderId } of notifications.values()) {
    const mine = [...lines.values()].filter(({ delivery }) => delivery.notificationId === id)
    if (mine.length === 0) fault('one line of the ledger per channel', `${id} has none`)
    if (type !== 'reminder') continue
    const states = mine.map(({ delivery }) => delivery.state)
    const expected = states.every((state) => state === 'cancelled')
      ? []
      : [states.includes('delivered') ? 'reminder.sent' : 'reminder.failed']
    const found = reports.filter(({ data }) => (data as { notification_id: string }).notification_id === id)
    if (found.map((report) => report.type).join() !== expected.join()) {
      fault(
        'every firing is reported once',
        `${reminderId}: ${found.map((one) => one.type).join()}, not ${expected.join()}`,
      )
    }
  }
}

/** What was given up is among the dead letters. */
function checkLetters({ topics }: ReminderWorld, { lines }: Ledger, fault: Fault): void {
  const letters = topics.accepted('dlq-events').map((letter) => JSON.stringify(letter))
  for (const { delivery, isGivenUp } of lines.values()) {
    if (isGivenUp && !letters.some((letter) => letter.includes(delivery.notificationId))) {
      fault('what was given up is among the dead letters', `${delivery.id} ${delivery.channel}`)
    }
  }
}

async function checkTables(
  { sql, users }: ReminderWorld,
  told: Told,
  ledger: Ledger,
  fault: Fault,
): Promise<void> {
  const ids = users.map(({ id }) => id)
  const [row] = await sql<Record<'lines' | 'shown' | 'reminders' | 'events', string[] | null>[]>`
    select (select array_agg(concat_ws(' ', id, channel, state, attempts) order by id) from deliveries
        where user_id = any(${ids}::uuid[])) as lines,
      (select array_agg(concat_ws(' ', id, late, seq) order by id) from notifications
        where user_id = any(${ids}::uuid[])) as shown,
      (select array_agg(concat_ws(' ', id, task_id, fire_at is null, acknowledged_at is null, cancelled_at is null,
          deleted_at is null) order by id) from reminders where user_id = any(${ids}::uuid[])) as reminders,
      (select array_agg(concat_ws(' ', user_id, seq, id) order by user_id, seq) from events
        where user_id = any(${ids}::uuid[])) as events`
  const expect = (rule: string, expected: string[], found: readonly string[] | null) => {
    const missing = expected.filter((line) => !found?.includes(line))
    const extra = (found ?? []).filter((line) => !expected.includes(line))
    if (missing.length + extra.length > 0)
      fault(rule, `lacks [${missing.join('; ')}], has [${extra.join('; ')}]`)
  }
  const { lines, notifications, events } = ledger
  expect(
    'the ledger is what was committed',
    [...lines.values()].map(
      ({ delivery: { id, channel, state, attempts } }) => `${id} ${channel} ${state} ${attempts}`,
    ),
    row!.lines,
  )
  expect(
    'the app shows what was committed',
    [...notifications.values()].map(({ id, late, seq }) =>
      [id, late ? 't' : 'f', ...(seq === null ? [] : [seq])].join(' '),
    ),
    row!.shown,
  )
  const t = (isTrue: boolean) => (isTrue ? 't' : 'f')
  expect(
    'reminders are what was asked for',
    [...told.reminders.values()].map((one) =>
      [
        one.id,
        one.taskId,
        t(one.next === null),
        t(!one.isAcknowledged),
        t(!one.isCancelled),
        t(!one.isRemoved),
      ].join(' '),
    ),
    row!.reminders,
  )
  expect(
    'sequence without a gap',
    [...events].flatMap(([userId, list]) => list.map(({ id }, index) => `${userId} ${index + 1} ${id}`)),
    row!.events,
  )
}
