import type { Channel, NotificationView } from '../../shared/domain/notifications/notification.ts'
import type { ReminderView } from '../../shared/domain/reminders/reminder.ts'
import type { Fault } from '../faults/oracle.ts'
import type { EventRow } from '../faults/series-model.ts'

/** A firing, as its event tells it. */
export interface Firing {
  reminderId: string
  /** Planned, ms since the epoch. */
  fireAt: number
  firedAt: number
  notificationId: string
  wanted: readonly Channel[] | null
}

interface Model {
  view: ReminderView
  /** The next firing, ms since the epoch. */
  next: number | null
  /** When it was last changed, other than by firing. */
  setAt: number
  isCancelled: boolean
  fired: Set<number>
}

interface Told {
  firings: Firing[]
  /** The next firing of every reminder that is still to fire, ms since the epoch. */
  pending: Map<string, number>
  known: ReadonlySet<string>
}

interface ReminderData {
  reminder?: ReminderView
  fire_at?: string
  notification?: NotificationView
}

const MISSED = 'no reminder is missed'
const ONCE = 'a reminder fires once, at its time'
const WANTED = 'no reminder of what is done'

/**
 * Tells the history of a person's reminders from the events alone, and checks that each firing was planned, in time, only
 * one, and of a task that was open; and that nothing is left that should have fired.
 */
export function replayReminders(events: readonly EventRow[], now: number, fault: Fault): Told {
  const models = new Map<string, Model>()
  const tasks = new Map<string, { isOpen: boolean; openedAt: number }>()
  const firings: Firing[] = []
  const pending: { id: string; at: number }[] = []

  const followTask = ({ data: { task }, time }: EventRow) => {
    if (!task) return
    const isOpen = !task.is_completed && task.deleted_at === null
    const before = tasks.get(task.id)
    const openedAt = isOpen && before?.isOpen ? before.openedAt : time.getTime()
    tasks.set(task.id, { isOpen, openedAt })
  }

  const fire = (event: EventRow, view: ReminderView, { fire_at: planned, notification }: ReminderData) => {
    const fireAt = Date.parse(planned!)
    const model = models.get(view.id)
    const what = `reminder ${view.id} for ${planned}, event ${event.seq}`
    if (!model) return fault(ONCE, `${what}: never set`)
    if (model.fired.has(fireAt)) fault(ONCE, `${what}: again`)
    if (model.next !== fireAt) fault(ONCE, `${what}: planned for ${iso(model.next)}`)
    if (event.time.getTime() < fireAt) fault(ONCE, `${what}: at ${event.time.toISOString()}`)
    if (!tasks.get(view.task_id)?.isOpen) fault(WANTED, what)
    model.fired.add(fireAt)
    model.next = ms(view.next_fire_at)
    firings.push({
      reminderId: view.id,
      fireAt,
      firedAt: event.time.getTime(),
      notificationId: notification!.id,
      wanted: view.channels,
    })
  }

  const plan = (event: EventRow, view: ReminderView, index: number) => {
    const what = `reminder ${view.id}, event ${event.seq} (${event.type})`
    const time = event.time.getTime()
    const at = ms(view.next_fire_at)
    const remindAt = ms(view.remind_at)
    const isSet = event.type === 'reminder.scheduled' || event.type === 'reminder.rescheduled'
    const fired = models.get(view.id)?.fired ?? new Set<number>()
    const isAhead = remindAt !== null && remindAt > time && !fired.has(remindAt)
    // Of a task that is done it moves with the due time and stays cancelled; below is looked whether it comes back.
    const isWanted = view.status !== 'cancelled' && isUntouched(view)
    if (isSet && isAhead && isWanted && at !== remindAt)
      fault(MISSED, `${what}: planned for ${iso(at)} instead of ${view.remind_at}`)
    const isCancelled = event.type === 'reminder.cancelled'
    if (isCancelled && isOpenAfter(index, view.task_id))
      fault(MISSED, `${what}: cancelled, but its task is open`)
    models.set(view.id, { view, next: at, setAt: time, isCancelled, fired })
  }

  /** At the end of the commit that an event belongs to, as its events share one time. */
  const isOpenAfter = (index: number, taskId: string): boolean => {
    const { time } = events[index]!
    for (let nth = index; events[nth]?.time.getTime() === time.getTime(); nth += 1) followTask(events[nth]!)
    return tasks.get(taskId)?.isOpen ?? false
  }

  for (const [index, event] of events.entries()) {
    followTask(event)
    const data = event.data as ReminderData
    if (!data.reminder) continue
    if (event.type === 'reminder.triggered') fire(event, data.reminder, data)
    else plan(event, data.reminder, index)
  }

  for (const [id, { view, next, setAt, isCancelled, fired }] of models) {
    if (next !== null && next > now) pending.push({ id, at: next })
    else if (next !== null) fault(MISSED, `reminder ${id} was planned for ${iso(next)}`)
    const task = tasks.get(view.task_id)
    const remindAt = ms(view.remind_at)
    // Its task was opened again before its time.
    const isBack =
      isCancelled && task?.isOpen && remindAt !== null && remindAt > Math.max(task.openedAt, setAt)
    if (isBack && isUntouched(view) && !fired.has(remindAt))
      fault(MISSED, `reminder ${id} of an open task stayed cancelled`)
  }
  return { firings, pending: new Map(pending.map(({ id, at }) => [id, at])), known: new Set(models.keys()) }
}

/** Nobody put it off or said that it was enough. */
const isUntouched = (view: ReminderView): boolean =>
  view.acknowledged_at === null && view.snoozed_until === null

const ms = (text: string | null): number | null => (text === null ? null : Date.parse(text))
const iso = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString())
