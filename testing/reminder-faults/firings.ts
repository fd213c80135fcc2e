import type { Change } from '../../shared/app/ports.ts'
import type { Channel, Delivery, Notification } from '../../shared/domain/notifications/notification.ts'
import type { Fault } from '../faults/oracle.ts'
import type { Entry, Settings } from './journal.ts'
import { isOpen } from './reminder-model.ts'
import type { Told } from './replay-model.ts'
import { endOfQuiet } from './wall-clock.ts'
import type { ReminderUser } from './world.ts'

/** How a user could be reached at some time. */
interface Reach {
  /** Null: nothing was ever settled. */
  settings: Settings | null
  devices: readonly { id: string; channel: Channel }[]
}

export interface Audiences {
  user(userId: string): ReminderUser
  /** When it became calm, if it did before a place. */
  calmAt(before: number): number | null
  /** All that was so at any time between two places of the journal. */
  between(userId: string, from: number, to: number): Reach[]
  /** The place where a process claimed a row first since it was last changed, seen from a later place. */
  claimed(id: string, process: string, before: number): number
}

export function tellAudiences(entries: readonly Entry[], users: readonly ReminderUser[]): Audiences {
  const told = new Map<string, { place: number; reach: Reach }[]>(
    users.map(({ id }) => [id, [{ place: -1, reach: { settings: null, devices: [] } }]]),
  )
  for (const [place, entry] of entries.entries()) {
    if (entry.kind !== 'settings' && entry.kind !== 'device') continue
    const history = told.get(entry.userId)!
    const { settings, devices } = history.at(-1)!.reach
    if (entry.kind === 'settings') history.push({ place, reach: { settings: entry.settings, devices } })
    else {
      const others = devices.filter(({ id }) => id !== entry.id)
      const kept = entry.isGone ? others : [...others, { id: entry.id, channel: entry.channel }]
      history.push({ place, reach: { settings, devices: kept } })
    }
  }
  const calm = entries.findIndex(({ kind }) => kind === 'calm')
  const calmEntry = entries[calm]
  return {
    calmAt: (before) => (calmEntry?.kind === 'calm' && calm < before ? calmEntry.at : null),
    user: (userId) => users.find(({ id }) => id === userId)!,
    between: (userId, from, to) => {
      const history = told.get(userId)!
      const first = history.findLastIndex(({ place }) => place <= from)
      return history.filter(({ place }, index) => index >= first && place <= to).map(({ reach }) => reach)
    },
    claimed: (id, process, before) => {
      let first = before
      for (let place = before - 1; place >= 0; place -= 1) {
        const entry = entries[place]!
        if (entry.kind === 'claim' && entry.process === process && entry.ids.includes(id)) first = place
        else if (entry.kind === 'change' && rowsOf(entry.change).some((row) => row.id === id)) break
      }
      return first
    },
  }
}

const rowsOf = ({ changedReminders = [], newDeliveries = [], changedDeliveries = [] }: Change) => [
  ...changedReminders,
  ...newDeliveries,
  ...changedDeliveries,
]

const LATE_MS = 60_000
const EVERYWHERE: readonly Channel[] = ['in_app', 'email', 'web_push', 'mobile_push', 'webhook']

/** Every delivery as it is in the ledger, by id. */
export type Lines = Map<string, Delivery>

interface Firing extends Told {
  lines: Lines
  audiences: Audiences
  fault: Fault
  entry: Extract<Entry, { kind: 'change' }>
  place: number
  notification: Notification
}

/** Judges one firing before the model takes it over: rightly now, flagged rightly, with the right lines in the ledger. */
export function checkFiring({
  tasks,
  reminders,
  lines,
  audiences,
  fault,
  entry,
  place,
  notification,
}: Firing): void {
  const { change, highest, process } = entry
  const deliveries = (change.newDeliveries ?? []).filter(
    ({ notificationId }) => notificationId === notification.id,
  )
  const fireAt = deliveries[0]?.fireAt.getTime()
  const reminder = reminders.get(notification.reminderId ?? '')
  const task = tasks.get(reminder?.taskId ?? '')
  const what = `reminder ${notification.reminderId} for ${deliveries[0]?.fireAt.toISOString()} at ${place}`
  if (!reminder || !task || fireAt === undefined) return fault('only what is due fires', `${what}: unknown`)
  if (reminder.firings.has(fireAt)) fault('no reminder fires twice', what)
  if (!isOpen(task)) fault('nothing fires for what is done', what)
  if (reminder.next !== fireAt) {
    const expected = reminder.next === null ? 'no firing' : new Date(reminder.next).toISOString()
    fault('only what is due fires', `${what}: ${expected} was to come`)
  }
  const now = change.at.getTime()
  if (now < fireAt || highest < now) fault('nothing fires before its time', what)
  if (notification.late !== now - fireAt > LATE_MS)
    fault('what is late says so', `${what}, fired ${now - fireAt} ms after`)
  const calmAt = audiences.calmAt(place)
  if (calmAt !== null && fireAt > calmAt + LATE_MS && now - fireAt > LATE_MS) {
    fault('on time while a worker is awake', `${what}, fired ${now - fireAt} ms after`)
  }
  const claimed = audiences.claimed(reminder.id, process, place)
  const reaches = audiences.between(change.userId, claimed, place)
  const user = audiences.user(change.userId)
  const isUrgent = task.priority === 'high'
  const isTold = (line: string) => toldBefore(lines, task.id, fireAt).has(placeOf(line))
  const found = deliveries.map(lineOf).toSorted().join(', ')
  const expected = reaches.map((reach) =>
    linesFor(reach, user, { channels: reminder.channels, type: 'reminder', isUrgent, now })
      .map((line) => (isTold(line) ? `${placeOf(line)} cancelled -` : line))
      .toSorted()
      .join(', '),
  )
  if (!expected.includes(found))
    fault('one line of the ledger per channel', `${what}: [${found}], not [${expected.join('] or [')}]`)
  const isShown = deliveries.some(({ channel, state }) => channel === 'in_app' && state === 'delivered')
  const place1 = change.newNotifications!.find((one) => one.notification === notification)!.fact
  if (isShown !== (place1 !== null)) fault('the app shows what is delivered to it', what)
}

/** Where others have told of the task for this time. */
const toldBefore = (lines: Lines, taskId: string, fireAt: number): Set<string> =>
  new Set(
    [...lines.values()]
      .filter((one) => one.taskId === taskId && one.fireAt.getTime() === fireAt)
      .filter((one) => one.reminderId !== null && one.state !== 'cancelled')
      .map((one) => placeOf(lineOf(one))),
  )

/** Channel and target of a line. */
const placeOf = (line: string): string => line.split(' ').slice(0, 2).join(' ')

const lineOf = ({ channel, target, state, nextAttemptAt }: Delivery): string =>
  `${channel} ${target.slice(-4)} ${state} ${nextAttemptAt?.toISOString() ?? '-'}`

interface Wanted {
  /** Null: as the user settled. */
  channels: readonly Channel[] | null
  type: 'reminder' | 'quiet_digest'
  isUrgent: boolean
  now: number
}

/** The lines that the ledger gets for something told now. */
function linesFor(
  { settings, devices }: Reach,
  user: ReminderUser,
  { channels, type, isUrgent, now }: Wanted,
): string[] {
  const zone = settings?.timeZone ?? user.timeZone
  const quiet = isUrgent ? null : endOfQuiet(settings?.quietHours ?? null, zone, now)
  const wanted = channels ?? settings?.channels[type] ?? EVERYWHERE
  const targets = wanted.flatMap((channel): [Channel, string][] => {
    if (channel === 'in_app' || (channel === 'email' && user.hasEmail)) return [[channel, '0000']]
    if (channel === 'webhook' && settings?.webhookUrl) return [[channel, '0000']]
    return devices.filter((one) => one.channel === channel).map(({ id }) => [channel, id.slice(-4)])
  })
  return (targets.length > 0 ? targets : [['in_app', '0000'] as const]).map(([channel, target]) => {
    if (quiet !== null) return `${channel} ${target} held ${new Date(quiet).toISOString()}`
    if (channel === 'in_app') return `${channel} ${target} delivered -`
    return `${channel} ${target} triggered ${new Date(now).toISOString()}`
  })
}
