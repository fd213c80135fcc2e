import { describe } from 'vitest'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { aSeries, anOccurrence, aTask, tasksAdded } from '../../shared/testing/a-task.ts'
import {
  ask,
  honoursIfMatch,
  hidesOtherUsers,
  isIdempotent,
  isIdempotentConsumer,
  requiresLogin,
  type Preparation,
} from '../../shared/testing/obligations.ts'
import type { Task } from '../../shared/domain/task.ts'
import createNextOccurrence from '../recurrence/create-next-occurrence.ts'
import completeTask from './complete-task.ts'
import createTask from './create-task.ts'
import deleteTask from './delete-task.ts'
import editTask from './edit-task.ts'
import getTask from './get-task.ts'
import listOccurrences from './list-occurrences.ts'
import reopenTask from './reopen-task.ts'
import replaceTask from './replace-task.ts'
import restoreTask from './restore-task.ts'
import skipOccurrence from './skip-occurrence.ts'

const HOUR_AGO = new Date('2026-03-02T11:00:00.000Z')

const having =
  (over: Partial<Task>, json?: unknown): Preparation =>
  async (deps, userId) => {
    const change = tasksAdded(userId, [over])
    await deps.changes.commit(change)
    return { id: change.newTasks[0]!.id, ...(json !== undefined && { json }) }
  }

const recurring: Preparation = async (deps, userId) => {
  const series = aSeries({ userId })
  const occurrence = anOccurrence({ seriesId: series.id })
  const { occurrenceAt } = occurrence
  const task = aTask({
    ...{ userId, seriesId: series.id, recurrenceRule: series.rule },
    ...{ occurrenceAt, dueAt: occurrenceAt, dueDate: '2026-03-02' },
  })
  await deps.changes.commit({
    ...tasksAdded(userId, [task]),
    ...{ series: { ...series, liveTaskId: task.id }, newOccurrences: [{ ...occurrence, taskId: task.id }] },
  })
  return { id: task.id }
}

const WRITES: [string, HttpFunction, Preparation][] = [
  ['complete-task', completeTask, having({})],
  ['complete-task of a series', completeTask, recurring],
  ['reopen-task', reopenTask, having({ completedAt: HOUR_AGO })],
  ['edit-task', editTask, having({}, { title: 'Pay the rent' })],
  ['replace-task', replaceTask, having({}, { title: 'Pay the rent' })],
  ['delete-task', deleteTask, having({})],
  ['restore-task', restoreTask, having({ deletedAt: HOUR_AGO })],
  ['skip-occurrence', skipOccurrence, recurring],
]

describe.each(WRITES)('%s', (_name, fn, prepare) => {
  requiresLogin(fn, prepare)
  hidesOtherUsers(fn, prepare)
  isIdempotent(fn, prepare)
  honoursIfMatch(fn, prepare)
})

describe.each([
  ['get-task', getTask],
  ['list-occurrences', listOccurrences],
])('%s', (_name, fn) => {
  requiresLogin(fn, recurring)
  hidesOtherUsers(fn, recurring)
})

describe('create-task', () => {
  const prepare = () => ({ json: { title: 'Pay rent' } })
  requiresLogin(createTask, prepare)
  isIdempotent(createTask, prepare)
})

describe('create-next-occurrence', () => {
  isIdempotentConsumer(createNextOccurrence, async (deps, userId) => {
    await ask(completeTask, deps, userId, await recurring(deps, userId))
  })
})
