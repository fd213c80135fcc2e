import { describe, expect, it } from 'vitest'
import { aTask } from '../../../testing/builders/a-task.ts'
import { tagKey, TaskInput, TaskPatch, taskView, TaskView } from './task.ts'

describe('tags', () => {
  const read = (tags: string[]) => TaskInput.parse({ title: 'x', tags }).tags

  it('are one tag in any case and in either form of Unicode, in the first spelling and place', () => {
    expect(read(['b', 'Home', 'a', 'HOME', 'home ', 'B'])).toEqual(['b', 'Home', 'a'])
    expect(read(['Caf\u00e9', 'cafe\u0301'])).toEqual(['Caf\u00e9'])
    expect(tagKey('Stra\u00dfe')).toBe(tagKey('STRA\u00dfE'))
  })

  it('are at most 20 of at most 50 characters', () => {
    expect(read(Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(50, 'x')))).toHaveLength(20)
    for (const tags of [Array.from({ length: 21 }, (_, n) => `${n}`), ['x'.repeat(51)]]) {
      expect(TaskInput.safeParse({ title: 'x', tags }).success).toBe(false)
    }
  })
})

describe('TaskInput', () => {
  it('needs a title and nothing else', () => {
    expect(TaskInput.parse({ title: ' Pay rent ' })).toEqual({
      title: 'Pay rent',
      description: null,
      priority: 'medium',
      tags: [],
      due_at: null,
      due_date: null,
      remind_at: null,
      parent_id: null,
      recurrence_rule: null,
      exdates: [],
      rdates: [],
      month_end: null,
      repeat_from: 'due',
    })
  })

  it('takes titles of 255 characters, counted in code points', () => {
    for (const character of ['x', '😀']) {
      expect(TaskInput.safeParse({ title: character.repeat(255) }).success).toBe(true)
      expect(TaskInput.safeParse({ title: character.repeat(256) }).success).toBe(false)
    }
  })

  it('takes instants with any offset to the millisecond, and dates that exist', () => {
    const { due_at } = TaskInput.parse({ title: 'x', due_at: '2026-03-02T12:00:00.123456+05:30' })
    expect(due_at).toEqual(new Date('2026-03-02T06:30:00.123Z'))
    expect(TaskInput.safeParse({ title: 'x', due_date: '2028-02-29' }).success).toBe(true)
    expect(TaskInput.safeParse({ title: 'x', due_date: '2026-02-29' }).success).toBe(false)
  })
})

describe('TaskPatch', () => {
  it('holds what is named and nothing else', () => {
    expect(TaskPatch.parse({})).toEqual({})
    expect(TaskPatch.parse({ due_at: null })).toEqual({ due_at: null })
  })
})

describe('taskView', () => {
  it('fits the schema of the API, whatever the task', () => {
    const now = new Date('2026-03-02T12:00:00Z')
    const full = aTask({
      description: '',
      priority: 'low',
      tags: ['a'],
      completedAt: now,
      dueAt: now,
      dueDate: '2026-03-02',
      remindAt: now,
      deletedAt: now,
      occurrenceAt: now,
      recurrenceRule: 'FREQ=DAILY',
      seriesTerms: { isAllDay: true, monthEnd: 'clamp', exdates: [now], rdates: [now] },
    })
    for (const task of [aTask(), full]) expect(TaskView.parse(taskView(task))).toEqual(taskView(task))
    expect(taskView(full)).toMatchObject({ is_completed: true, is_recurring: true, priority_color: 'gray' })
  })
})
