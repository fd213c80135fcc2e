import type { DeliveryQueue } from '../../shared/app/notifications/ports.ts'
import type { ReminderQueue } from '../../shared/app/reminders/ports.ts'
import { never } from '../faults/scheduler.ts'
import type { ReminderWorld } from './world.ts'

/** More than any worker asks between two steps. */
const MAX_QUESTIONS = 500

type Spare = <T>(question: string, mayFind: boolean, ask: () => Promise<T>, nothing: T) => Promise<T>

/** Spares the database questions to which there is no answer: nothing of what they ask for exists. */
export function idleQueues(
  world: ReminderWorld,
  process: string,
  { dueReminders, deliveries }: { dueReminders: ReminderQueue; deliveries: DeliveryQueue },
): { dueReminders: ReminderQueue; deliveries: DeliveryQueue } {
  const { has } = world.journal
  let questions = 0
  let step = 0
  const spare: Spare = async (question, mayFind, ask, nothing) => {
    if (mayFind) return ask()
    if (step !== world.story.length) questions = 0
    step = world.story.length
    questions += 1
    if (questions <= MAX_QUESTIONS) return nothing
    // Nobody else would get a turn.
    world.journal.write({ kind: 'spin', process, question })
    return never()
  }
  return {
    dueReminders: {
      ...dueReminders,
      claimDue: (claim) => spare('due reminders', has('reminder'), () => dueReminders.claimDue(claim), []),
      nextDueAt: () => spare('the next reminder', has('reminder'), () => dueReminders.nextDueAt(), null),
    },
    // There are no digests of the day here.
    deliveries: {
      ...deliveries,
      claimDue: (channel, claim) =>
        spare(channel, has('triggered', channel), () => deliveries.claimDue(channel, claim), []),
      claimHeld: (claim) => spare('held', has('held'), () => deliveries.claimHeld(claim), null),
      claimDigests: (claim) => spare('digests', false, () => deliveries.claimDigests(claim), []),
      nextDueAt: () =>
        spare('the next delivery', has('triggered') || has('held'), () => deliveries.nextDueAt(), null),
    },
  }
}
