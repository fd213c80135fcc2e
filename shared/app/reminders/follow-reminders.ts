import type { Decision } from '../../domain/decision.ts'
import {
  concernsReminders,
  remindersFollowing,
  type RemindedTask,
} from '../../domain/reminders/task-reminders.ts'
import type { ChangeStore, Deps } from '../ports.ts'

/**
 * The decision together with what it means for reminders. Those of `known` are loaded already; of the other tasks that
 * change they are read only where the change concerns them.
 */
export async function withReminders<Made extends Decision>(
  deps: Pick<Deps, 'ids'>,
  store: Pick<ChangeStore, 'loadReminders'>,
  decision: Made,
  { known, userId, now }: { known: RemindedTask; userId: string; now: Date },
): Promise<Made> {
  const changes = decision.changedTasks ?? []
  const concerned = changes.filter(({ before, after }) => concernsReminders(before, after))
  const others = concerned.map(({ after }) => after.id).filter((id) => id !== known.task.id)
  const loaded = others.length > 0 ? await store.loadReminders(userId, others) : []
  const reminders = [...known.reminders, ...loaded]
  const tasks = changes.flatMap(({ after }) => {
    const isKnown = after.id === known.task.id || others.includes(after.id)
    return isKnown ? [{ task: after, reminders: reminders.filter(({ taskId }) => taskId === after.id) }] : []
  })
  const following = remindersFollowing(tasks, { now, newId: () => deps.ids.uuid() })
  const taskIds = concerned.map(({ after }) => after.id)
  return {
    ...decision,
    newReminders: following.newReminders,
    changedReminders: following.changedReminders,
    ...(taskIds.length > 0 && {
      knownReminders: { taskIds, reminders: reminders.map(({ id, version }) => ({ id, version })) },
    }),
    facts: [...decision.facts, ...following.facts],
  }
}
