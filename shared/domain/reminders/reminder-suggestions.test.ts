import { describe, expect, it } from 'vitest'
import { aTask } from '../../../testing/builders/a-task.ts'
import { suggestReminders } from './reminder-suggestions.ts'
import type { Task } from '../tasks/task.ts'

const NOW = new Date('2026-03-02T12:00:00Z')
const DUE = { dueAt: new Date('2026-03-29T15:00:00Z'), dueDate: '2026-03-29' }
const suggest = (task: Partial<Task>, now = NOW) => suggestReminders(aTask(task), now)
const labels = (task: Partial<Task>, now?: Date) => suggest(task, now).map(({ label }) => label)

describe('suggestReminders', () => {
  it('names earlier and more times the higher the priority', () => {
    expect(labels({ ...DUE, priority: 'high' })).toEqual([
      '2 days before',
      '8 hours before',
      '2 hours before',
      '1 hour before',
    ])
    expect(labels(DUE)).toEqual(['1 day before', '1 hour before', '30 minutes before'])
    expect(labels({ ...DUE, priority: 'low' })).toEqual(['15 minutes before'])
  })

  it('gives each with its instant and as minutes before, the earliest first', () => {
    expect(suggest(DUE)).toEqual([
      { remind_at: '2026-03-28T15:00:00.000Z', offset_minutes: 1440, label: '1 day before' },
      { remind_at: '2026-03-29T14:00:00.000Z', offset_minutes: 60, label: '1 hour before' },
      { remind_at: '2026-03-29T14:30:00.000Z', offset_minutes: 30, label: '30 minutes before' },
    ])
  })

  it('leaves out what has passed', () => {
    expect(labels(DUE, new Date('2026-03-29T13:59:59Z'))).toEqual(['1 hour before', '30 minutes before'])
    expect(labels(DUE, new Date('2026-03-29T14:00:00Z'))).toEqual(['30 minutes before'])
    expect(labels(DUE, DUE.dueAt)).toEqual([])
  })

  it.each([
    ['before the clocks change', '2026-03-28', '2026-03-28T08:00:00.000Z'],
    ['on the day on which they change', '2026-03-29', '2026-03-29T07:00:00.000Z'],
    ['on the day on which they change back', '2026-10-25', '2026-10-25T08:00:00.000Z'],
  ])('counts from nine by the clocks of the task when it is due on a day: %s', (_, dueDate, nine) => {
    const day = { dueDate, timeZone: 'Europe/Berlin' }
    expect(labels({ ...day, priority: 'high' })).toEqual(['2 days before', '1 day before', 'on the day'])
    expect(labels(day)).toEqual(['1 day before', 'on the day'])
    expect(suggest({ ...day, priority: 'low' })).toEqual([
      { remind_at: nine, offset_minutes: 0, label: 'on the day' },
    ])
  })

  it('has nothing to say without a due time, or of a task that is done', () => {
    expect(suggest({})).toEqual([])
    expect(suggest({ ...DUE, completedAt: NOW })).toEqual([])
  })
})
