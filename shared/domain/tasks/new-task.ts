import { taskFact, type TaskDecision } from '../decision.ts'
import { decideDue } from './due.ts'
import { invalidField } from '../errors.ts'
import { TaskCreated } from '../events.ts'
import { decideSeries, NEEDS_RULE } from '../recurrence/new-series.ts'
import { inZoneOf } from './floating.ts'
import { instantOf } from '../recurrence/wall-clock.ts'
import { mustBeAhead } from '../reminders/reminder-plan.ts'
import { positionAt } from './reorder.ts'
import { FLOATING, type Task, type TaskInput } from './task.ts'

/** Creates a task and, when it has a rule, its series. A due time that is no hit of the rule moves to the first one. */
export function decideNewTask(
  input: TaskInput,
  context: { id: string; seriesId: string; userId: string; timeZone: string; now: Date },
): TaskDecision {
  const { now, userId } = context
  const due = decideDue(
    { dueAt: null, dueDate: null, timeZone: context.timeZone },
    {
      due_at: input.due_at ?? undefined,
      due_date: input.due_date ?? undefined,
      time_zone: inZoneOf(input, context.timeZone).time_zone,
    },
  )
  const remindAt = instantOf(input.remind_at, due.timeZone)
  if (remindAt) mustBeAhead('remind_at', remindAt, now)
  const task: Task = {
    id: context.id,
    userId,
    title: input.title,
    description: input.description,
    priority: input.priority,
    tags: input.tags,
    completedAt: null,
    ...due,
    isFloating: input.time_zone === FLOATING,
    remindAt,
    parentId: input.parent_id,
    position: positionAt(now),
    seriesId: null,
    occurrenceAt: null,
    recurrenceRule: null,
    repeatFrom: input.repeat_from,
    seriesTerms: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
  if (input.recurrence_rule === null) {
    if (input.exdates.length + input.rdates.length > 0) {
      throw invalidField('recurrence_rule', NEEDS_RULE)
    }
    return { task, newTasks: [task], facts: [taskFact(TaskCreated, task)] }
  }
  const recurring = decideSeries(task, { ...input, recurrence_rule: input.recurrence_rule }, context)
  return {
    task: recurring.task,
    newTasks: [recurring.task],
    series: recurring.series,
    newOccurrences: [recurring.occurrence],
    facts: [taskFact(TaskCreated, recurring.task)],
  }
}
