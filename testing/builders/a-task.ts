import type { Change } from '../../shared/app/ports.ts'
import type { EventDraft } from '../../shared/domain/draft-event.ts'
import type { Occurrence, Series } from '../../shared/domain/recurrence/series.ts'
import { tagKey, type Task } from '../../shared/domain/tasks/task.ts'
import { systemIds } from '../../shared/kit/system.ts'

export const NOON = new Date('2026-03-02T12:00:00.000Z')

/** An open task without a due date, one hour old; a new owner and id each time unless they are given. */
export function aTask(over: Partial<Task> = {}): Task {
  const createdAt = new Date('2026-03-02T11:00:00.000Z')
  return {
    id: systemIds.uuid(),
    userId: systemIds.uuid(),
    title: 'Pay rent',
    description: null,
    priority: 'medium',
    tags: [],
    completedAt: null,
    dueDate: null,
    dueAt: null,
    timeZone: 'UTC',
    isFloating: false,
    remindAt: null,
    parentId: null,
    position: 1024,
    seriesId: null,
    occurrenceAt: null,
    recurrenceRule: null,
    repeatFrom: 'due',
    seriesTerms: null,
    version: 1,
    createdAt,
    updatedAt: createdAt,
    deletedAt: null,
    ...over,
  }
}

/** A daily series at 09:00 UTC that has begun yesterday and has no live task. */
export function aSeries(over: Partial<Series> = {}): Series {
  return {
    id: systemIds.uuid(),
    userId: systemIds.uuid(),
    rule: 'FREQ=DAILY',
    startAt: new Date('2026-03-01T09:00:00.000Z'),
    timeZone: 'UTC',
    monthEnd: 'skip',
    repeatFrom: 'due',
    exdates: [],
    rdates: [],
    isAllDay: false,
    state: 'active',
    liveTaskId: null,
    generated: 1,
    template: {
      title: 'Water plants',
      description: null,
      priority: 'medium',
      tags: [],
      parentId: null,
      isFloating: false,
    },
    version: 1,
    createdAt: NOON,
    updatedAt: NOON,
    ...over,
  }
}

export function anOccurrence(over: Partial<Occurrence> = {}): Occurrence {
  const occurrenceAt = new Date('2026-03-02T09:00:00.000Z')
  return { seriesId: systemIds.uuid(), occurrenceAt, state: 'open', taskId: null, closedAt: null, ...over }
}

export const anEvent = (over: Partial<EventDraft> = {}): EventDraft => ({
  id: systemIds.uuid(),
  type: 'task.updated',
  dataversion: '1.1',
  source: '/services/tasks',
  subject: 'task/1',
  time: NOON,
  data: { said: 'by a test' },
  trace: null,
  ...over,
})

/** A change of nothing but one event. */
export const aChange = (userId: string, over: Partial<Change> = {}): Change => ({
  userId,
  at: NOON,
  activeDelta: 0,
  completedDelta: 0,
  events: [anEvent()],
  ...over,
})

/** New tasks of one user with the counters that go with them. */
export function tasksAdded(userId: string, tasks: readonly Partial<Task>[]): Change & { newTasks: Task[] } {
  const newTasks = tasks.map((task) => aTask({ ...task, userId }))
  const kept = newTasks.filter((task) => task.deletedAt === null)
  const labels = new Map(kept.flatMap((task) => task.tags.map((tag) => [tagKey(tag), tag])))
  const using = (key: string, completed: boolean) =>
    kept.filter(
      (task) => (task.completedAt !== null) === completed && task.tags.some((tag) => tagKey(tag) === key),
    )
  const completedDelta = kept.filter((task) => task.completedAt !== null).length
  return {
    ...aChange(userId, { events: newTasks.map((task) => anEvent({ subject: `task/${task.id}` })) }),
    newTasks,
    completedDelta,
    activeDelta: kept.length - completedDelta,
    tagDeltas: [...labels].map(([key, label]) => ({
      key,
      label,
      active: using(key, false).length,
      completed: using(key, true).length,
    })),
  }
}

/** What an Idempotency-Key `key` keeps for a day. */
export const anAnswer = (fingerprint: string, answer: unknown = 'answer') => ({
  key: 'key',
  fingerprint,
  answer,
  expiresAt: new Date(NOON.getTime() + 86_400_000),
})
