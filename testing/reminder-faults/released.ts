import type { Delivery } from '../../shared/domain/notifications/notification.ts'
import type { Fault } from '../faults/oracle.ts'
import type { Entry } from './journal.ts'
import { isOpen, type ModelReminder } from './reminder-model.ts'
import type { Told } from './replay-model.ts'

/** Deliveries that are held back, and for each worker whether they were wanted each time that one of its lanes claimed them. */
export type HeldLines = Map<string, { delivery: Delivery; wanted: Map<string, boolean[]> }>

type ChangeEntry = Extract<Entry, { kind: 'change' }>
type Telling = Told & { held: HeldLines; fault: Fault }

/** A worker has claimed what is held back: whether that is wanted counts from then on. */
export function noteHeld(telling: Telling, { ids, process }: Extract<Entry, { kind: 'claim' }>): void {
  for (const id of ids) {
    const held = telling.held.get(id)
    held?.wanted.set(process, [...(held.wanted.get(process) ?? []), isWanted(telling, held.delivery)])
  }
}

/** What quiet hours held back is told if it was wanted when they were over, and cancelled if it was not. */
export function checkReleased(telling: Telling, { change, process }: ChangeEntry, place: number): void {
  const { held, fault } = telling
  for (const delivery of [...(change.newDeliveries ?? []), ...(change.changedDeliveries ?? [])]) {
    const before = held.get(delivery.id)
    const what = `${delivery.id} ${delivery.channel} at ${place}`
    const opinions = [...(before?.wanted.get(process) ?? []), isWanted(telling, delivery)]
    if (before && delivery.state === 'cancelled' && !opinions.includes(false)) {
      fault('only what nobody needs is cancelled', what)
    }
    const isTold = delivery.state !== 'cancelled' && (delivery.state !== 'held' || delivery.digestId !== null)
    if (before && isTold && !opinions.includes(true))
      fault('what is done is not told when quiet hours end', what)
    if (delivery.state === 'held' && delivery.digestId === null)
      // Another lane of the same worker may have claimed it before.
      held.set(delivery.id, { delivery, wanted: before?.wanted ?? new Map() })
    else held.delete(delivery.id)
  }
}

/**
 * Its task is open, and its reminder neither acknowledged nor removed, nor to come again; or another one is that was silent,
 * because this one had told for it.
 */
function isWanted({ tasks, reminders }: Telling, { reminderId, fireAt }: Delivery): boolean {
  const reminder = reminders.get(reminderId ?? '')
  const task = tasks.get(reminder?.taskId ?? '')
  if (!reminder || !task) return true
  const isLeft = (one: ModelReminder) => !one.isAcknowledged && !one.isRemoved && one.next === null
  const silent = [...reminders.values()].filter(
    (one) => one.taskId === task.id && one.fired === fireAt.getTime(),
  )
  return isOpen(task) && !reminder.isAcknowledged && [reminder, ...silent].some(isLeft)
}
