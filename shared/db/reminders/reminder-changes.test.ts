import { describe, expect, it } from 'vitest'
import type { Change } from '../../app/ports.ts'
import type { Reminder } from '../../domain/reminders/reminder.ts'
import type { Task } from '../../domain/tasks/task.ts'
import { systemIds } from '../../kit/system.ts'
import { aReminder, anAudience } from '../../../testing/builders/a-reminder.ts'
import { aChange, anAnswer, NOON, tasksAdded } from '../../../testing/builders/a-task.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'

const later = (ms: number) => new Date(NOON.getTime() + ms)

const { deps: stores } = await testDaybook()

describe('reminders', () => {
  const outcomeOf = async (change: Change) => (await stores.changes.commit(change)).outcome

  async function stored(...overs: Partial<Reminder>[]): Promise<{ task: Task; reminders: Reminder[] }> {
    const added = tasksAdded(systemIds.uuid(), [{}])
    const task = added.newTasks[0]!
    const of = { taskId: task.id, userId: task.userId }
    const reminders = overs.map((over) => aReminder({ ...of, ...over }))
    expect(await outcomeOf({ ...added, newReminders: reminders })).toBe('applied')
    return { task, reminders }
  }

  it('are read as they were written, with their task or by it', async () => {
    const { task, reminders } = await stored(
      { remindAt: later(5), channels: ['email', 'web_push'], offsetMinutes: 30 },
      { remindAt: null },
      { remindAt: later(9), fireAt: later(1), firedAt: NOON, snoozedUntil: later(1), acknowledgedAt: NOON },
      { origin: 'task', remindAt: later(5), cancelledAt: NOON, fireAt: null, version: 3 },
    )
    const { userId } = task
    const { loadTask, loadReminder, loadReminders } = stores.changes
    expect((await loadTask(userId, task.id, null, NOON)).reminders).toEqual(reminders)
    expect(await loadReminders(userId, [task.id, systemIds.uuid()])).toEqual(reminders)
    for (const reminder of reminders) {
      const found = { reminder, task, deliveries: [], stored: null }
      expect(await loadReminder(userId, reminder.id, null, NOON)).toEqual(found)
      const read = { reminder, deliveries: [], audience: anAudience({ userId }), isClaimed: false }
      expect(await stores.reminders.get(userId, reminder.id, NOON)).toEqual(read)
    }
    const [first, second, third, fourth] = reminders
    const listed = await stores.reminders.list(userId, task.id)
    expect(listed.map(({ reminder }) => reminder)).toEqual([third, first, fourth, second])
  })

  it('are seen by their owner until they are removed, with the stored answer in any case', async () => {
    const { task, reminders } = await stored({}, {})
    const [gone, kept] = reminders as [Reminder, Reminder]
    const { userId } = task
    const remove = { changedReminders: [{ ...gone, version: 2, deletedAt: NOON, fireAt: null }] }
    expect(await outcomeOf(aChange(userId, { ...remove, idempotency: anAnswer('print') }))).toBe('applied')
    const { loadTask, loadReminder, loadReminders } = stores.changes
    expect((await loadTask(userId, task.id, null, NOON)).reminders).toEqual([kept])
    expect(await loadReminders(userId, [task.id])).toEqual([kept])
    expect(await stores.reminders.get(userId, gone.id, NOON)).toBeNull()
    expect(await stores.reminders.list(userId, task.id)).toHaveLength(1)
    const answer = { fingerprint: 'print', answer: 'answer' }
    expect(await loadReminder(userId, gone.id, 'key', NOON)).toEqual({
      reminder: null,
      task: null,
      deliveries: [],
      stored: answer,
    })

    const eve = systemIds.uuid()
    expect(await loadReminders(eve, [task.id])).toEqual([])
    expect(await loadReminder(eve, kept.id, 'key', NOON)).toMatchObject({ reminder: null, stored: null })
    expect(await stores.reminders.get(eve, kept.id, NOON)).toBeNull()
    expect(await stores.reminders.list(eve, task.id)).toEqual([])
    const theft = aChange(eve, { changedReminders: [{ ...kept, version: 2 }] })
    expect(await outcomeOf(theft)).toBe('conflict')
  })

  it('by default are one for each task, and one that was removed is known for ever', async () => {
    const { task, reminders } = await stored({ origin: 'default' }, {})
    const [byDefault, other] = reminders as [Reminder, Reminder]
    const { userId } = task
    const another = aReminder({ userId, taskId: task.id, origin: 'default' })
    expect(await outcomeOf(aChange(userId, { newReminders: [another] }))).toBe('conflict')
    const gone = { ...byDefault, version: 2, deletedAt: NOON, fireAt: null }
    expect(await outcomeOf(aChange(userId, { changedReminders: [gone] }))).toBe('applied')
    expect(await outcomeOf(aChange(userId, { newReminders: [another] }))).toBe('conflict')
    const { loadTask, loadReminders, loadReminder } = stores.changes
    expect((await loadTask(userId, task.id, null, NOON)).reminders).toEqual([gone, other])
    expect(await loadReminders(userId, [task.id])).toEqual([gone, other])
    expect(await loadReminder(userId, gone.id, null, NOON)).toMatchObject({ reminder: null })
    expect(await stores.reminders.list(userId, task.id)).toMatchObject([{ reminder: other }])
  })

  it.each<[string, (state: { task: Task; reminder: Reminder }) => Partial<Change>]>([
    ['it has another version', ({ reminder }) => ({ changedReminders: [{ ...reminder, version: 3 }] })],
    ['its task has another version', ({ task }) => ({ unchangedTasks: [{ id: task.id, version: 9 }] })],
    ['its task is unknown', () => ({ unchangedTasks: [{ id: systemIds.uuid(), version: 1 }] })],
    ['another was added', ({ task }) => ({ knownReminders: { taskIds: [task.id], reminders: [] } })],
    [
      'one that was known has changed',
      ({ task, reminder: { id } }) => ({
        knownReminders: { taskIds: [task.id], reminders: [{ id, version: 2 }] },
      }),
    ],
  ])('are changed as decided or not at all: conflict when %s', async (_, flaw) => {
    const { task, reminders } = await stored({})
    const [reminder] = reminders as [Reminder]
    const newcomer = aReminder({ taskId: task.id, userId: task.userId })
    const change = { newReminders: [newcomer], changedTasks: [{ ...task, version: 2 }] }
    expect(
      await outcomeOf(aChange(task.userId, { ...change, ...flaw({ task: { ...task }, reminder }) })),
    ).toBe('conflict')
    const found = await stores.changes.loadTask(task.userId, task.id, null, NOON)
    expect([found.task, found.reminders]).toEqual([task, [reminder]])
    expect((await stores.changeLog.after(task.userId, 0, 10)).events).toHaveLength(1)
  })

  it('may rest on a task that stays as it is, and on reminders that do', async () => {
    const { task, reminders } = await stored({}, { deletedAt: NOON, fireAt: null })
    const [{ id }] = reminders as [Reminder]
    const change = {
      unchangedTasks: [{ id: task.id, version: 1 }],
      knownReminders: { taskIds: [task.id], reminders: [{ id, version: 1 }] },
      newReminders: [aReminder({ taskId: task.id, userId: task.userId })],
    }
    expect(await outcomeOf(aChange(task.userId, change))).toBe('applied')
    expect(await outcomeOf(aChange(task.userId, { ...change, newReminders: [] }))).toBe('conflict')
  })
})
