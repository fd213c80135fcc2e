import { expect, it } from 'vitest'
import type { RepositoryFilter, TaskRepository } from '../../shared/app/tasks/ports.ts'
import type { Task } from '../../shared/domain/tasks/task.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aTask, NOON } from '../builders/a-task.ts'

const ALL: RepositoryFilter = { status: 'all', priorities: [], tags: [] }

/** What holds of tasks wherever they are kept. */
export function keepsTasks(repository: () => TaskRepository): void {
  async function userWith(...tasks: Partial<Task>[]): Promise<string> {
    const userId = systemIds.uuid()
    for (const [index, task] of tasks.entries()) {
      expect(await repository().create(aTask({ position: 1024 + index, ...task, userId }))).toBe(true)
    }
    return userId
  }
  const titles = async (userId: string, filter: Partial<RepositoryFilter> = {}) =>
    (await repository().list(userId, { ...ALL, ...filter })).map(({ title }) => title)

  it('gives back a task as it was created', async () => {
    const task = aTask({
      title: 'Grüße "an" \\ alle 🎂',
      description: 'two\nlines',
      priority: 'high',
      tags: ['Home', 'a,b'],
      completedAt: NOON,
      dueDate: '2026-12-01',
      dueAt: new Date('2026-12-01T08:00:00.123Z'),
      timeZone: 'Europe/Berlin',
      remindAt: NOON,
      parentId: systemIds.uuid(),
      position: 9_007_199_254_740_991,
      repeatFrom: 'completion',
    })
    expect(await repository().create(task)).toBe(true)
    expect(await repository().get(task.userId, task.id)).toEqual(task)
    expect(await repository().list(task.userId, ALL)).toEqual([task])
  })

  it('creates a task once', async () => {
    const task = aTask()
    expect(await repository().create(task)).toBe(true)
    expect(await repository().create({ ...task, title: 'Another' })).toBe(false)
    expect(await titles(task.userId)).toEqual(['Pay rent'])
  })

  it('has nothing for a user who has none, nor what belongs to another', async () => {
    const task = aTask()
    await repository().create(task)
    const other = systemIds.uuid()
    expect(await repository().get(other, task.id)).toBeNull()
    expect(await repository().list(other, ALL)).toEqual([])
    expect(await repository().delete(other, task.id, 1)).toBe(false)
    expect(await repository().save({ ...task, userId: other, version: 2 })).toBe(false)
    expect(await repository().get(task.userId, task.id)).toEqual(task)
  })

  it('lists by position', async () => {
    const userId = await userWith(
      { title: 'c', position: 3 },
      { title: 'a', position: 1 },
      { title: 'b', position: 2 },
    )
    expect(await titles(userId)).toEqual(['a', 'b', 'c'])
  })

  it('filters by status, priority and tags', async () => {
    const userId = await userWith(
      { title: 'a', priority: 'high', tags: ['Home'] },
      { title: 'b', priority: 'low', tags: ['home', 'garden'] },
      { title: 'c', completedAt: NOON },
    )
    expect(await titles(userId, { status: 'active' })).toEqual(['a', 'b'])
    expect(await titles(userId, { status: 'completed' })).toEqual(['c'])
    expect(await titles(userId, { priorities: ['high', 'medium'] })).toEqual(['a', 'c'])
    expect(await titles(userId, { tags: ['HOME'] })).toEqual(['a', 'b'])
    expect(await titles(userId, { tags: ['home', 'garden'] })).toEqual(['b'])
    expect(await titles(userId, { tags: ['home'], priorities: ['medium'] })).toEqual([])
  })

  it('saves over the version before, and over no other', async () => {
    const task = aTask()
    await repository().create(task)
    expect(await repository().save({ ...task, title: 'Second', version: 2 })).toBe(true)
    expect(await repository().save({ ...task, title: 'Late', version: 2 })).toBe(false)
    expect(await repository().save(aTask({ userId: task.userId, version: 2 }))).toBe(false)
    expect(await titles(task.userId)).toEqual(['Second'])
  })

  it('deletes the version that is asked for, once', async () => {
    const userId = await userWith({ title: 'a' }, { title: 'b' })
    const [task] = await repository().list(userId, ALL)
    expect(await repository().delete(userId, task!.id, 2)).toBe(false)
    expect(await repository().delete(userId, task!.id, 1)).toBe(true)
    expect(await repository().delete(userId, task!.id, 1)).toBe(false)
    expect(await repository().get(userId, task!.id)).toBeNull()
    expect(await titles(userId)).toEqual(['b'])
  })

  it('loses none of what is created at the same time, and lets one of two writes through', async () => {
    const userId = systemIds.uuid()
    const tasks = Array.from({ length: 8 }, (_, index) =>
      aTask({ userId, title: `${index}`, position: index }),
    )
    const created = await Promise.all(
      [...tasks, { ...tasks[0]!, title: 'twin' }].map((task) => repository().create(task)),
    )
    expect(created.filter(Boolean).length).toBe(8)
    const [winner, ...others] = await titles(userId)
    expect(['0', 'twin']).toContain(winner)
    expect(others).toEqual(['1', '2', '3', '4', '5', '6', '7'])
    const saved = await Promise.all(
      ['x', 'y'].map((title) => repository().save({ ...tasks[0]!, title, version: 2 })),
    )
    expect(saved.filter(Boolean).length).toBe(1)
    const gone = await Promise.all(tasks.slice(1, 5).map(({ id }) => repository().delete(userId, id, 1)))
    expect(gone).toEqual([true, true, true, true])
    expect((await titles(userId)).slice(1)).toEqual(['5', '6', '7'])
  })
}
