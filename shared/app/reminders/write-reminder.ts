import type { ReminderDecision } from '../../domain/reminders/edit-reminder.ts'
import { DomainError } from '../../domain/errors.ts'
import { reminderView, type Reminder, type ReminderView } from '../../domain/reminders/reminder.ts'
import type { Task } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import { guardedWrite, type WriteTarget } from '../guarded-write.ts'
import type { Answer, WriteContext } from '../ports.ts'
import type { LoadedReminder } from './ports.ts'

interface Found extends LoadedReminder {
  reminder: Reminder
  task: Task
}

export function writeReminder(
  deps: Writing,
  write: WriteContext,
  { id }: { id: string },
  decide: (state: { reminder: Reminder; task: Task }) => ReminderDecision,
): Promise<Answer<ReminderView>> {
  const target: WriteTarget<Found> = {
    async load(store, key) {
      const loaded = await store.loadReminder(write.actor.userId, id, key, write.now)
      const { reminder, task, stored } = loaded
      return { stored, found: reminder && task ? { ...loaded, reminder, task } : reminderNotFound() }
    },
    versionOf: ({ reminder }) => reminder.version,
    versionConflict: (version) =>
      new DomainError('reminder.version_conflict', `The reminder is at version ${version}.`),
  }
  return guardedWrite(deps, write, target, ({ reminder, task, deliveries }) => {
    const decision = decide({ reminder, task })
    return { decision, body: reminderView(decision.reminder, deliveries) }
  })
}

export const reminderNotFound = (): DomainError =>
  new DomainError('reminder.not_found', 'There is no such reminder.')
