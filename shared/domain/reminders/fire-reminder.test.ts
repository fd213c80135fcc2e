import { describe, expect, it } from 'vitest'
import { aReminder, anAudience } from '../../../testing/builders/a-reminder.ts'
import { aTask } from '../../../testing/builders/a-task.ts'
import { decideFiring, type Firing } from './fire-reminder.ts'
import type { Reminder } from './reminder.ts'
import type { Task } from '../tasks/task.ts'

const at = (time: string) => new Date(`2026-03-02T${time}Z`)

/** A reminder for noon of a task that is due at one, unless it says otherwise. */
function firing(
  over: { reminder?: Partial<Reminder>; task?: Partial<Task>; audience?: Firing['audience'] } = {},
): Firing {
  const { reminder, task, ...rest } = over
  const due = aTask({ dueAt: at('13:00:00'), dueDate: '2026-03-02', ...task })
  return {
    task: due,
    reminder: aReminder({ userId: due.userId, taskId: due.id, ...reminder }),
    audience: anAudience({ userId: due.userId }),
    hasFired: false,
    alreadyNotified: [],
    ...rest,
  }
}

let ids = 0
const newId = () => `019c0000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`
const decide = (state: Firing, now: Date) => decideFiring(state, now, newId)

describe('a reminder whose time has come', () => {
  it('tells in its event how urgent the task is and when it is due', () => {
    const dataOf = (task: Partial<Task>) => decide(firing({ task }), at('12:00:00'))!.facts[0]!.data
    expect(dataOf({ priority: 'high' })).toMatchObject({
      task_title: 'Pay rent',
      task_priority: 'high',
      due_at: '2026-03-02T13:00:00.000Z',
      due_date: '2026-03-02',
      time_zone: 'UTC',
    })
    const allDay = { dueAt: null, dueDate: '2026-03-03', timeZone: 'Asia/Tokyo' }
    expect(dataOf(allDay)).toMatchObject({ due_at: null, due_date: '2026-03-03', time_zone: 'Asia/Tokyo' })
    expect(dataOf({ dueAt: null, dueDate: null })).toMatchObject({
      task_priority: 'medium',
      due_at: null,
      due_date: null,
    })
  })

  it.each([
    ['12:01:00.000', false],
    ['12:01:00.001', true],
  ])('at %s late is %s', (now, late) => {
    expect(decide(firing(), at(now))!.newNotifications![0]!.notification.late).toBe(late)
  })

  it('names the time in the zone of the reader, and says when it has passed', () => {
    const audience = anAudience({ timeZone: 'America/New_York' })
    const body = (task: Partial<Task>, now = at('12:00:00')) =>
      decide(firing({ task, audience }), now)!.newNotifications![0]!.notification.body
    expect(body({})).toBe('Due on Monday 2 March 2026 at 08:00 (America/New_York).')
    expect(body({ timeZone: 'America/New_York' })).toBe('Due on Monday 2 March 2026 at 08:00.')
    expect(body({ timeZone: 'America/New_York', dueAt: at('03:00:00') })).toBe(
      'Was due on Sunday 1 March 2026 at 22:00.',
    )
    expect(body({ dueAt: null, dueDate: '2026-03-03' })).toBe('Due on Tuesday 3 March 2026.')
    expect(body({ dueAt: null, dueDate: null })).toBe('You asked to be reminded of this.')
  })
})

it('a reminder tells on the channels that it names, whatever the preferences say', () => {
  const audience = anAudience({ hasEmail: true, isEmailConfirmed: true })
  const decision = decide(firing({ audience, reminder: { channels: ['email'] } }), at('12:00:00'))!
  expect(decision.newDeliveries!.map(({ channel }) => channel)).toEqual(['email'])
})

it.each([
  ['completed', { completedAt: at('11:30:00') }],
  ['deleted', { deletedAt: at('11:30:00') }],
])('a reminder is cancelled when its task is %s', (_, task) => {
  const decision = decide(firing({ task }), at('12:00:00'))!
  const cancelled = { cancelledAt: at('12:00:00'), fireAt: null, firedAt: null }
  expect([decision.changedReminders, decision.newNotifications]).toMatchObject([[cancelled], undefined])
})

describe('a relative reminder whose task has moved without it', () => {
  const moved = (dueAt: Date | null) =>
    firing({
      reminder: { offsetMinutes: 60 },
      task: { dueAt, dueDate: dueAt && dueAt.toISOString().slice(0, 10) },
    })

  it('waits for a due time when its task has none', () => {
    expect(decide(moved(null), at('12:00:00'))!.changedReminders).toMatchObject([
      { remindAt: null, fireAt: null },
    ])
  })
})

describe('a reminder of high priority', () => {
  const high = (reminder: Partial<Reminder>) => firing({ task: { priority: 'high' }, reminder })

  it('does not come again once it is acknowledged', () => {
    const decision = decide(high({ acknowledgedAt: at('11:00:00') }), at('12:00:00'))!
    expect(decision.changedReminders).toMatchObject([{ fireAt: null }])
  })

  it('counts its repetitions from the end of a snooze', () => {
    const state = high({ fireAt: at('12:45:00'), snoozedUntil: at('12:45:00'), firedAt: at('12:00:00') })
    const decision = decide(state, at('12:45:01'))!
    expect(decision.changedReminders).toMatchObject([
      { firedAt: at('12:45:00'), fireAt: at('12:55:00'), snoozedUntil: at('12:45:00') },
    ])
  })
})
