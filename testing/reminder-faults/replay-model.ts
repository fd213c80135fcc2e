import type { Change } from '../../shared/app/ports.ts'
import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import type { Task } from '../../shared/domain/tasks/task.ts'
import type { Report } from '../faults/client.ts'
import type { Fault } from '../faults/oracle.ts'
import { checkFiring, type Audiences, type Lines } from './firings.ts'
import type { Entry } from './journal.ts'
import {
  beginReminder,
  difference,
  fire,
  fireSilently,
  follow,
  isTooLate,
  isOpen,
  ms,
  moveTo,
  timeBefore,
  type ModelReminder,
} from './reminder-model.ts'
import { carriedFrom, type Closed } from './carried.ts'
import { beginDefault, checkConsumed, continueDefault, noteGiven, type Given } from './defaults.ts'
import { checkReleased, noteHeld, type HeldLines } from './released.ts'

type ChangeEntry = Extract<Entry, { kind: 'change' }>

export interface Told {
  tasks: Map<string, Task>
  reminders: Map<string, ModelReminder>
}

interface Telling extends Told {
  /** What closed tasks were before later changes of theirs. */
  closed: Map<string, Closed[]>
  given: Given
  held: HeldLines
  lines: Lines
  reports: ReadonlyMap<string, Report>
  audiences: Audiences
  fault: Fault
}

/**
 * Tells from the commands that were applied, in the order of their commits, what every reminder should be, and compares
 * that with each commit. Of a commit it believes the tasks, which have an oracle of their own, and ids and times.
 */
export function replayModel(
  entries: readonly Entry[],
  { reports, audiences, fault }: { reports: readonly Report[]; audiences: Audiences; fault: Fault },
): Told {
  const telling: Telling = {
    tasks: new Map(),
    reminders: new Map(),
    held: new Map(),
    lines: new Map(),
    closed: new Map(),
    given: new Map(),
    audiences,
    fault,
    reports: new Map(reports.map((report) => [report.traceId, report])),
  }
  for (const [place, entry] of entries.entries()) {
    if (entry.kind === 'change') retellChange(telling, entry, place)
    else if (entry.kind === 'claim') noteHeld(telling, entry)
    else if (entry.kind === 'consumed') checkConsumed(telling, entry, place)
  }
  return telling
}

function retellChange(telling: Telling, entry: ChangeEntry, place: number): void {
  const { reminders, fault } = telling
  const { change } = entry
  const now = change.at.getTime()
  const rows = new Map(
    [...(change.newReminders ?? []), ...(change.changedReminders ?? [])].map((row) => [row.id, row]),
  )
  const before = new Map([...reminders].map(([id, reminder]) => [id, JSON.stringify(reminder)]))
  const fresh = new Set((change.newReminders ?? []).map(({ id }) => id))

  if (actorOf(change) === 'reminders') {
    for (const { notification } of change.newNotifications ?? []) {
      if (notification.type === 'reminder') checkFiring({ ...telling, entry, place, notification })
    }
    const isSilent = change.newDeliveries?.every(({ state }) => state === 'cancelled') ?? false
    for (const row of change.changedReminders ?? []) fireFrom(telling, row, { now, isSilent })
  }
  for (const delivery of [...(change.newDeliveries ?? []), ...(change.changedDeliveries ?? [])]) {
    telling.lines.set(delivery.id, delivery)
  }
  checkReleased(telling, entry, place)
  noteClosed(telling, change)
  retellTasks(telling, change, fresh)
  noteGiven(telling, change)
  if (actorOf(change) === 'reminders') beginDefault(telling, change, place)
  retellCommand(telling, change, fresh)

  for (const [id, row] of rows) {
    const reminder = reminders.get(id)
    const wrong = reminder ? difference(reminder, row) : 'nobody asked for it'
    if (wrong) fault('reminders are what was asked for', `${what(change)} ${id} at ${place}: ${wrong}`)
  }
  for (const [id, reminder] of reminders) {
    if (rows.has(id) || before.get(id) === JSON.stringify(reminder)) continue
    fault(
      'reminders are what was asked for',
      `${what(change)} at ${place} leaves out ${JSON.stringify(reminder)}`,
    )
  }
}

const closedNow = ({ reminders }: Telling, task: Task): Closed => ({
  task,
  reminders: [...reminders.values()].filter(({ taskId }) => taskId === task.id).map((one) => ({ ...one })),
})

function noteClosed(telling: Telling, { changedTasks = [], changedReminders = [] }: Change): void {
  const ids = new Set([...changedTasks.map(({ id }) => id), ...changedReminders.map(({ taskId }) => taskId)])
  for (const id of ids) {
    const task = telling.tasks.get(id)
    if (!task || isOpen(task)) telling.closed.delete(id)
    else telling.closed.set(id, [...(telling.closed.get(id) ?? []), closedNow(telling, task)])
  }
}

/** A worker has dealt with it: it fires, or has fired at this time before and goes on to the next. */
function fireFrom(
  { tasks, reminders }: Telling,
  row: Reminder,
  { now, isSilent }: { now: number; isSilent: boolean },
): void {
  const reminder = reminders.get(row.id)
  const task = tasks.get(row.taskId)
  if (!reminder || !task || reminder.next === null || reminder.next > now) return
  if (isSilent) fireSilently(reminder)
  else fire(reminder, task, now)
}

/** Tasks that come and change, with what follows for their reminders. */
function retellTasks(telling: Telling, change: Change, fresh: Set<string>): void {
  const { tasks, reminders, fault } = telling
  const now = change.at.getTime()
  const ofTask = (id: string) => [...reminders.values()].filter((one) => one.taskId === id && !one.isRemoved)
  const begin = (task: Task, row: Reminder, time: number | null) => {
    const { id, origin, offsetMinutes, channels } = row
    reminders.set(id, beginReminder(task, { id, origin, offsetMinutes, channels, time }, now))
    fresh.delete(id)
  }
  const rowsOf = (task: Task) => (change.newReminders ?? []).filter(({ taskId }) => taskId === task.id)

  for (const task of change.newTasks ?? []) {
    const rows = rowsOf(task)
    if (change.events.some(({ type }) => type === 'task.occurrence.generated')) {
      const ofSeries = [...tasks.values()].filter((one) => one.seriesId === task.seriesId)
      const before = ofSeries.flatMap((one) => [
        closedNow(telling, one),
        ...(telling.closed.get(one.id) ?? []),
      ])
      const problem = carriedFrom(before, task, rows)
      if (problem) fault('reminders go on with the series', `${task.id}: ${problem}`)
      for (const row of rows) begin(task, row, ms(row.remindAt))
      for (const row of rows) continueDefault(reminders.get(row.id)!, row, now)
    } else {
      expectOwn(telling, { task, rows, now, has: false }, begin)
    }
    tasks.set(task.id, task)
  }
  for (const { id, position, version } of change.movedTasks ?? []) {
    tasks.set(id, { ...tasks.get(id)!, position, version })
  }
  for (const task of change.changedTasks ?? []) {
    tasks.set(task.id, task)
    for (const reminder of ofTask(task.id)) follow(reminder, task, now)
    const has = ofTask(task.id).some(({ origin }) => origin === 'task')
    expectOwn(telling, { task, rows: rowsOf(task), now, has }, begin)
  }
}

/** The task's own reminder begins where it has a time ahead and none yet. */
function expectOwn(
  { fault }: Telling,
  { task, rows, now, has }: { task: Task; rows: Reminder[]; now: number; has: boolean },
  begin: (task: Task, row: Reminder, time: number | null) => void,
): void {
  const isWanted = isOpen(task) && task.remindAt && task.remindAt.getTime() > now && !has
  const own = rows.filter(({ origin }) => origin === 'task')
  if (own.length !== (isWanted ? 1 : 0)) {
    fault('reminders are what was asked for', `task ${task.id} gets ${own.length} reminders of its own`)
  }
  for (const row of own) begin(task, row, ms(task.remindAt))
}

interface Asked {
  remind_at?: string
  offset_minutes?: number
  channels?: ModelReminder['channels']
  minutes?: number
  until?: string
}

/** What a user asked for of a reminder itself. */
function retellCommand(telling: Telling, change: Change, fresh: Set<string>): void {
  const { tasks, reminders, reports, fault } = telling
  const report = reports.get(change.events[0]?.trace?.traceparent.split('-')[1] ?? '')
  if (!report || actorOf(change) !== report.command.userId) return
  const now = change.at.getTime()
  const { name, path, body = {} } = report.command
  const asked = body as Asked
  const id = path.split('/')[3]!
  if (name === 'remind') {
    const task = tasks.get(id)
    const row = change.newReminders?.[0]
    if (!task || !row || fresh.size !== 1)
      return fault('reminders are what was asked for', `${what(change)}: no row`)
    const { remind_at: at, offset_minutes: offsetMinutes = null, channels = null } = asked
    const wanted = {
      id: row.id,
      origin: 'user' as const,
      offsetMinutes,
      channels,
      time: at ? Date.parse(at) : null,
    }
    const begun = beginReminder(task, wanted, now)
    reminders.set(row.id, isTooLate(task, begun, now) ? { ...begun, next: null } : begun)
    return
  }
  const reminder = reminders.get(id)
  const task = reminder && tasks.get(reminder.taskId)
  if (!reminder || !task) return
  switch (name) {
    case 'change reminder':
      if (asked.channels !== undefined) reminder.channels = asked.channels
      if (asked.remind_at !== undefined) {
        const time = Date.parse(asked.remind_at)
        if (reminder.offsetMinutes === null && reminder.time === time) break
        reminder.offsetMinutes = null
        moveTo(reminder, time, task, now)
      } else if (asked.offset_minutes !== undefined && asked.offset_minutes !== reminder.offsetMinutes) {
        reminder.offsetMinutes = asked.offset_minutes
        moveTo(reminder, timeBefore(task, asked.offset_minutes), task, now)
        if (isTooLate(task, reminder, now)) Object.assign(reminder, { next: null, snoozed: null })
      }
      break
    case 'drop reminder':
      Object.assign(reminder, { isRemoved: true, next: null })
      break
    case 'acknowledge':
      Object.assign(reminder, { isAcknowledged: true, next: null, snoozed: null })
      break
    case 'snooze': {
      const until = asked.until ? Date.parse(asked.until) : now + asked.minutes! * 60_000
      Object.assign(reminder, { snoozed: until, next: until, isAcknowledged: false })
    }
  }
}

const actorOf = (change: Change): string | undefined =>
  (change.events[0]?.data as { actor?: { id: string } } | undefined)?.actor?.id

const what = (change: Change): string => change.events.map(({ type }) => type).join(' + ')
