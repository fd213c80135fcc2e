import { describe, expect, it } from 'vitest'
import type { SubtaskQuery } from '../../app/tasks/ports.ts'
import type { Task } from '../../domain/tasks/task.ts'
import { systemIds } from '../../kit/system.ts'
import { aSeries, NOON, tasksAdded } from '../../../testing/builders/a-task.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'

const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)

const { deps: stores } = await testDaybook()

describe('loads', () => {
  it('neighbours in the order of position and id, deleted ones left out', async () => {
    const change = tasksAdded(uuid(), [
      { position: 10 },
      { position: 20, completedAt: NOON },
      { position: 20 },
      { position: 30, deletedAt: NOON },
      { position: 40, completedAt: NOON },
    ])
    await stores.changes.commit(change)
    const { userId } = change
    const [a, b, c, gone, e] = change.newTasks.toSorted(
      (x, y) => x.position - y.position || (x.id < y.id ? -1 : 1),
    )
    const { loadFollowing, loadPlaces, loadPreceding, loadTasks } = stores.changes
    const placeOf = ({ id, position, version }: Task) => ({ id, position, version })
    expect(await loadFollowing(userId, a!, 10)).toEqual([b!, c!, e!].map(placeOf))
    expect(await loadFollowing(userId, b!, 1)).toEqual([placeOf(c!)])
    expect(await loadPreceding(userId, { ...e!, excluding: uuid() })).toEqual(placeOf(c!))
    expect(await loadPreceding(userId, { ...e!, excluding: c!.id })).toEqual(placeOf(b!))
    expect(await loadPlaces(userId, [a!.id, gone!.id, uuid()])).toEqual([placeOf(a!)])
    expect(await loadPreceding(userId, { ...a!, excluding: uuid() })).toBeNull()
    const found = await loadTasks(userId, [a!.id, gone!.id, uuid()])
    expect(found).toEqual([a])
  })

  it('what lies below a task: parents first, then in order, as far as it is asked for', async () => {
    const [top, middle, gone] = [uuid(), uuid(), uuid()]
    const change = tasksAdded(uuid(), [
      { id: top },
      { id: middle, parentId: top, position: 20 },
      { parentId: top, position: 10, completedAt: NOON },
      { parentId: middle, position: 5 },
      { id: gone, parentId: top, position: 1, deletedAt: NOON },
      { parentId: gone, position: 2, deletedAt: NOON },
      { parentId: gone, position: 3, deletedAt: later(1) },
      { parentId: top, position: 30, recurrenceRule: 'FREQ=DAILY', completedAt: later(1) },
    ])
    await stores.changes.commit(change)
    const { userId, newTasks } = change
    const below = async (query: Partial<SubtaskQuery>) => {
      const tasks = await stores.changes.loadSubtasks(userId, top, { deletedAt: null, limit: 10, ...query })
      return tasks.map(({ id }) => newTasks.findIndex((task) => task.id === id))
    }
    expect(await below({})).toEqual([2, 1, 7, 3])
    expect(await below({ limit: 2 })).toEqual([2, 1])
    expect(await below({ completedAt: null })).toEqual([1, 3])
    expect(await below({ completedAt: NOON })).toEqual([2])
    expect(await below({ deletedAt: NOON })).toEqual([4, 2, 1, 7, 5, 3])
    expect(await stores.changes.countSubtasks(userId, top)).toBe(3)
    expect(await stores.changes.loadSubtasks(uuid(), top, { deletedAt: null, limit: 10 })).toEqual([])
    expect((await stores.changes.loadTask(userId, gone, null, NOON)).hasSubtasks).toBe(true)
    expect((await stores.changes.loadTask(userId, newTasks[2]!.id, null, NOON)).hasSubtasks).toBe(false)
  })

  it('series of tasks, and those that wait below them, or did when they ended', async () => {
    const parent = uuid()
    const template = { ...aSeries().template, parentId: parent }
    const userId = uuid()
    const of = aSeries({ userId })
    const waiting = aSeries({ userId, template })
    const ended = aSeries({ userId, template, state: 'ended', updatedAt: later(5) })
    const endedBefore = aSeries({ userId, template, state: 'ended', updatedAt: later(4) })
    const live = aSeries({ userId, template, liveTaskId: uuid() })
    const change = tasksAdded(userId, [{ id: parent }, { parentId: parent, seriesId: of.id }])
    await stores.changes.commit({ ...change, series: of, seriesBelow: [waiting, ended, endedBefore, live] })
    const ids = change.newTasks.map(({ id }) => id)
    const { loadSeriesBelow } = stores.changes
    const found = async (endedAt: Date | null) =>
      (await loadSeriesBelow(userId, ids, endedAt)).map(({ id }) => id).toSorted()
    expect(await found(null)).toEqual([of.id, waiting.id].toSorted())
    expect(await found(later(5))).toEqual([of.id, waiting.id, ended.id].toSorted())
    expect(await loadSeriesBelow(uuid(), ids, later(5))).toEqual([])
  })

  it('open siblings of a series, newest occurrence first', async () => {
    const seriesId = uuid()
    const change = tasksAdded(uuid(), [
      { seriesId, occurrenceAt: later(1) },
      { seriesId, occurrenceAt: later(3) },
      { seriesId, occurrenceAt: later(2) },
      { seriesId, occurrenceAt: later(4), deletedAt: NOON },
      { seriesId, occurrenceAt: later(6), completedAt: NOON },
      { occurrenceAt: later(5) },
    ])
    await stores.changes.commit(change)
    const [first, third, second] = change.newTasks
    const { userId } = change
    expect(await stores.changes.loadOpenSiblings(userId, seriesId, third!.id, 10)).toEqual([second, first])
    expect(await stores.changes.loadOpenSiblings(userId, seriesId, uuid(), 1)).toEqual([third])
  })
})
