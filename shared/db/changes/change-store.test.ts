import { describe, expect, it } from 'vitest'
import type { Change, CommitResult } from '../../app/ports.ts'
import { DAY_MS } from '../../domain/durations.ts'
import type { Series } from '../../domain/recurrence/series.ts'
import type { Task } from '../../domain/tasks/task.ts'
import { systemIds } from '../../kit/system.ts'
import {
  aChange,
  anAnswer,
  anEvent,
  anOccurrence,
  aSeries,
  aTask,
  NOON,
  tasksAdded,
} from '../../../testing/builders/a-task.ts'
import { EVERYTHING } from '../../../testing/builders/task-queries.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'

const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)

const { deps: stores } = await testDaybook()

describe('changes', () => {
  const commit = (change: Change) => stores.changes.commit(change)
  const outcomeOf = async (change: Change) => (await commit(change)).outcome
  const loadTask = async (userId: string, id: string) =>
    (await stores.changes.loadTask(userId, id, null, NOON)).task

  /** All that anybody can see of a user, to tell whether something has changed. */
  async function everythingOf(userId: string) {
    const query = { prefix: '', sort: 'name', limit: 100 } as const
    return {
      events: (await stores.changeLog.after(userId, 0, 1000)).events,
      tags: await stores.tasks.tags(userId, query),
      counts: await countsOf(userId),
    }
  }

  async function countsOf(userId: string) {
    const count = async (status: 'all' | 'active' | 'completed') => {
      const { items, total } = await stores.tasks.list(userId, {
        ...EVERYTHING,
        sortBy: 'position',
        status,
        limit: 200,
      })
      expect(items).toHaveLength(total)
      return total
    }
    return { all: await count('all'), active: await count('active'), completed: await count('completed') }
  }

  async function stored(task: Partial<Task> = {}): Promise<Task> {
    const change = tasksAdded(uuid(), [task])
    await commit(change)
    return change.newTasks[0]!
  }

  it('are applied as a whole: task, series, occurrences, tags, counters and events', async () => {
    const userId = uuid()
    const series = aSeries({ userId, exdates: [later(DAY_MS)], rdates: [later(1)] })
    const added = tasksAdded(userId, [
      { tags: ['Home'], seriesId: series.id },
      { completedAt: NOON, tags: ['home'] },
    ])
    const [task] = added.newTasks
    const live = { ...series, liveTaskId: task!.id }
    const open = anOccurrence({ seriesId: series.id, taskId: task!.id })
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
    }
    added.events = [anEvent({ trace }), anEvent({ type: 'task.created' })]
    expect(await outcomeOf({ ...added, series: live, newOccurrences: [open] })).toBe('applied')

    expect(await stores.changes.loadTask(userId, task!.id, null, NOON)).toEqual({
      task,
      series: live,
      reminders: [],
      hasSubtasks: false,
      stored: null,
    })
    expect(await stores.changes.loadSeries(userId, series.id)).toEqual(live)
    expect(await stores.tasks.get(userId, task!.id)).toEqual({ task, series: live })
    expect(await stores.tasks.occurrences(userId, series.id, 10)).toEqual([open])
    expect(await stores.changes.loadOccurrences(series.id, open.occurrenceAt, 10)).toEqual([open])
    expect(await everythingOf(userId)).toEqual({
      events: added.events.map((event, index) => ({ ...event, userId, sequence: index + 1 })),
      tags: [{ tag: 'home', active: 1, completed: 1 }],
      counts: { all: 2, active: 1, completed: 1 },
    })
  })

  it('with a task left below one that is closed is a conflict', async () => {
    const [parent, userId] = [uuid(), uuid()]
    const change = tasksAdded(userId, [{ id: parent }, { parentId: parent, completedAt: NOON }])
    await stores.changes.commit(change)
    const emptied = (of: 'open' | 'present') => aChange(userId, { emptied: { taskIds: [parent], of } })
    expect((await stores.changes.commit(emptied('open'))).outcome).toBe('applied')
    expect((await stores.changes.commit(emptied('present'))).outcome).toBe('conflict')
    const [top, below] = change.newTasks as [Task, Task]
    const gone = { ...below, version: 2, deletedAt: NOON }
    const closing = { ...emptied('present'), changedTasks: [{ ...top, version: 2, deletedAt: NOON }, gone] }
    expect((await stores.changes.commit({ ...closing, completedDelta: -1 })).outcome).toBe('applied')
  })

  it('of several series is refused when one has another version', async () => {
    const [one, two] = [aSeries(), aSeries()]
    const userId = one.userId
    const next = (series: Series) => ({ ...series, version: series.version + 1, generated: 7 })
    await stores.changes.commit(aChange(userId, { series: one, seriesBelow: [{ ...two, userId }] }))
    const stale = aChange(userId, { series: next(one), seriesBelow: [{ ...two, userId }] })
    expect((await stores.changes.commit(stale)).outcome).toBe('conflict')
    const both = aChange(userId, { series: next(one), seriesBelow: [next({ ...two, userId })] })
    expect((await stores.changes.commit(both)).outcome).toBe('applied')
    expect(await stores.changes.loadSeries(userId, two.id)).toMatchObject({ generated: 7 })
  })

  it('cannot touch what belongs to another', async () => {
    const task = await stored()
    const series = aSeries()
    await commit(aChange(series.userId, { series }))
    const thief = uuid()
    expect(await outcomeOf(aChange(thief, { changedTasks: [{ ...task, version: 2 }] }))).toBe('conflict')
    expect(await outcomeOf(aChange(thief, { movedTasks: [{ id: task.id, position: 1, version: 2 }] }))).toBe(
      'conflict',
    )
    expect(await loadTask(thief, task.id)).toBeNull()
    expect(await stores.changes.loadSeries(thief, series.id)).toBeNull()
    expect(await loadTask(task.userId, task.id)).toEqual(task)
  })

  it('close, drop and replace occurrences; the newest comes first', async () => {
    const { id: seriesId, userId } = aSeries()
    const nth = (day: number, over = {}) =>
      anOccurrence({ seriesId, occurrenceAt: later(day * DAY_MS), ...over })
    await commit(aChange(userId, { newOccurrences: [nth(1), nth(3), nth(2, { state: 'missed' })] }))
    const change = {
      changedOccurrences: [nth(1, { state: 'completed', closedAt: later(9) })],
      droppedOccurrences: [nth(3)],
      newOccurrences: [nth(3, { taskId: uuid() }), nth(4)],
    }
    expect(await outcomeOf(aChange(userId, change))).toBe('applied')
    const expected = [
      nth(4),
      change.newOccurrences[0],
      nth(2, { state: 'missed' }),
      change.changedOccurrences[0],
    ]
    expect(await stores.tasks.occurrences(userId, seriesId, 10)).toEqual(expected)
    expect(await stores.tasks.occurrences(userId, seriesId, 1)).toEqual([nth(4)])
    expect(await stores.tasks.occurrences(uuid(), seriesId, 10)).toEqual([])
    const from = later(2 * DAY_MS)
    const ascending = expected.toReversed().slice(1)
    expect(await stores.changes.loadOccurrences(seriesId, from, 10)).toEqual(ascending)
    expect(await stores.changes.loadOccurrences(seriesId, from, 2)).toEqual(ascending.slice(0, 2))
  })

  it('tell which occurrence was closed at an instant, or else last', async () => {
    const { id: seriesId, userId } = aSeries()
    const nth = (day: number, over = {}) =>
      anOccurrence({ seriesId, occurrenceAt: later(day * DAY_MS), ...over })
    const early = nth(9, { state: 'completed', closedAt: later(5) })
    const twins = [1, 2].map((day) => nth(day, { state: 'skipped', closedAt: later(6) }))
    const last = nth(0, { state: 'completed', closedAt: later(7) })
    const others = [nth(10, { state: 'missed', closedAt: later(8) }), nth(11)]
    const { lastClosed } = stores.changes
    expect(await lastClosed(seriesId, null)).toBeNull()
    await commit(aChange(userId, { newOccurrences: [last, ...twins, early, ...others] }))
    expect(await lastClosed(seriesId, later(5))).toEqual(early)
    expect(await lastClosed(seriesId, later(6))).toEqual(twins[1])
    expect(await lastClosed(seriesId, later(8))).toEqual(last)
    expect(await lastClosed(seriesId, null)).toEqual(last)
  })

  it.each<
    [CommitResult['outcome'], (known: { task: Task; eventId: string; seriesId: string }) => Partial<Change>]
  >([
    ['conflict', ({ task }) => ({ changedTasks: [{ ...task, version: 9 }] })],
    ['conflict', ({ task }) => ({ changedTasks: [task] })],
    ['conflict', ({ task }) => ({ movedTasks: [{ id: task.id, position: 1, version: 9 }] })],
    ['conflict', ({ seriesId }) => ({ newOccurrences: [anOccurrence({ seriesId })] })],
    ['conflict', ({ task, seriesId }) => ({ series: aSeries({ id: seriesId, userId: task.userId }) })],
    ['already_processed', ({ eventId }) => ({ processed: { consumer: 'audit', eventId } })],
    ['key_reused', () => ({ idempotency: anAnswer('other') })],
  ])('refused as %s leave nothing behind', async (outcome, flaw) => {
    const { userId, ...task } = await stored({ tags: ['home'] })
    const known = { task: { ...task, userId }, eventId: uuid(), seriesId: uuid() }
    const preparation = aChange(userId, {
      processed: { consumer: 'audit', eventId: known.eventId },
      idempotency: anAnswer('first'),
      newOccurrences: [anOccurrence({ seriesId: known.seriesId })],
      series: aSeries({ id: known.seriesId, userId }),
    })
    expect(await outcomeOf(preparation)).toBe('applied')
    const before = await everythingOf(userId)

    const newcomer = aTask({ userId, tags: ['new'] })
    const mark = { consumer: 'mail', eventId: uuid() }
    const flawed = aChange(userId, {
      newTasks: [newcomer],
      activeDelta: 1,
      processed: mark,
      idempotency: { ...anAnswer('first'), key: 'mine' },
      tagDeltas: [{ key: 'new', label: 'new', active: 1, completed: 0 }],
      ...flaw(known),
    })
    expect(await outcomeOf(flawed)).toBe(outcome)

    expect(await everythingOf(userId)).toEqual(before)
    expect(await loadTask(userId, newcomer.id)).toBeNull()
    expect(await stores.changes.storedAnswer(userId, 'mine', NOON)).toBeNull()
    expect(await outcomeOf(aChange(userId, { processed: mark }))).toBe('applied')
  })

  it('keep the label a tag was first used with, until nobody uses it', async () => {
    const userId = uuid()
    const use = (label: string, active: number) =>
      commit(aChange(userId, { tagDeltas: [{ key: 'home', label, active, completed: 0 }] }))
    const tags = () => stores.tasks.tags(userId, { prefix: '', sort: 'name', limit: 10 })
    await use('Home', 1)
    await use('HOME', 1)
    expect(await tags()).toEqual([{ tag: 'Home', active: 2, completed: 0 }])
    await use('home', -2)
    expect(await tags()).toEqual([])
    await use('hOME', 1)
    expect(await tags()).toEqual([{ tag: 'hOME', active: 1, completed: 0 }])
  })
})

describe('exclusively', () => {
  it('no other write of the user comes in between, and no increment is lost', async () => {
    const change = tasksAdded(uuid(), [{ position: 0 }])
    await stores.changes.commit(change)
    const { userId, id } = change.newTasks[0]!
    const increment = () =>
      stores.changes.exclusively(userId, async (store) => {
        const { task } = await store.loadTask(userId, id, null, NOON)
        const next = { ...task!, position: task!.position + 1, version: task!.version + 1 }
        return (await store.commit(aChange(userId, { changedTasks: [next] }))).outcome
      })
    const plain = () => stores.changes.commit(aChange(userId)).then((result) => result.outcome)
    const outcomes = await Promise.all(Array.from({ length: 15 }, () => [increment(), plain()]).flat())
    expect(new Set(outcomes)).toEqual(new Set(['applied']))
    expect((await stores.tasks.get(userId, id))?.task).toMatchObject({ position: 15, version: 16 })
    const sequences = (await stores.changeLog.after(userId, 0, 100)).events.map((event) => event.sequence)
    expect(sequences).toEqual(Array.from({ length: 31 }, (_, index) => index + 1))
  })

  it('work sees its own writes, goes on after a refusal, and hands its result back', async () => {
    const userId = uuid()
    const added = tasksAdded(userId, [{}])
    const result = await stores.changes.exclusively(userId, async (store) => {
      await store.commit(added)
      const lost = { ...added.newTasks[0]!, version: 9 }
      expect(await store.commit(aChange(userId, { changedTasks: [lost] }))).toEqual({ outcome: 'conflict' })
      return store.exclusively(
        userId,
        async (inner) => (await inner.loadTasks(userId, [added.newTasks[0]!.id])).length,
      )
    })
    expect(result).toBe(1)
    expect((await stores.changeLog.after(userId, 0, 10)).events).toHaveLength(1)
  })

  it('work that throws leaves nothing behind and lets others go on', async () => {
    const userId = uuid()
    const failed = stores.changes.exclusively(userId, async (store) => {
      await store.commit(tasksAdded(userId, [{}]))
      throw new Error('second thoughts')
    })
    await expect(failed).rejects.toThrow('second thoughts')
    expect((await stores.changeLog.after(userId, 0, 10)).events).toEqual([])
    expect((await stores.changes.commit(aChange(userId))).outcome).toBe('applied')
  })
})
