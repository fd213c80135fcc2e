import { describe, expect, it } from 'vitest'
import { aReminder, anAudience } from '../../../testing/builders/a-reminder.ts'
import { aTask } from '../../../testing/builders/a-task.ts'
import { decideFiring, type Firing } from './fire-reminder.ts'
import { DEFAULT_PREFERENCES } from '../notifications/notification-preferences.ts'
import type { Reminder } from './reminder.ts'
import type { Task } from '../tasks/task.ts'

const at = (time: string) => new Date(`2026-03-02T${time}Z`)

/** A reminder for noon of a task that is due at one, unless it says otherwise. */
function firing(
  over: { reminder?: Partial<Reminder>; task?: Partial<Task> } & Partial<
    Omit<Firing, 'reminder' | 'task'>
  > = {},
): Firing & { task: Task } {
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
const typesOf = (decision: ReturnType<typeof decide>) =>
  decision?.facts.map(({ definition }) => definition.type)

describe('a reminder whose time has come', () => {
  it('fires once and is told in the app by the decision itself', () => {
    const state = firing()
    const decision = decide(state, at('12:00:00'))!
    expect(decision.changedReminders).toMatchObject([{ firedAt: at('12:00:00'), fireAt: null, version: 2 }])
    expect(decision.newNotifications).toMatchObject([
      {
        shownBy: decision.facts[1],
        notification: {
          source: `reminder/${state.reminder.id}/2026-03-02T12:00:00.000Z`,
          type: 'reminder',
          title: 'Pay rent',
          body: 'Due on Monday 2 March 2026 at 13:00.',
          late: false,
        },
      },
    ])
    expect(decision.newDeliveries).toMatchObject([
      { channel: 'in_app', state: 'delivered', fireAt: at('12:00:00') },
    ])
    expect(typesOf(decision)).toEqual(['reminder.triggered', 'notification.sent', 'reminder.sent'])
    expect(decision.unchangedTasks).toEqual([{ id: state.task.id, version: state.task.version }])
  })

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

  it('waits before its time', () => {
    expect(decide(firing(), at('11:59:59.999'))).toBeNull()
    expect(decide(firing({ reminder: { fireAt: null } }), at('12:00:00'))).toBeNull()
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

  it('is not over while a channel is left to be tried', () => {
    const decision = decide(
      firing({ audience: anAudience({ hasEmail: true, isEmailConfirmed: true }) }),
      at('12:00:00'),
    )
    expect(decision?.newDeliveries).toMatchObject([
      { state: 'delivered' },
      { channel: 'email', state: 'triggered' },
    ])
    expect(typesOf(decision)).toEqual(['reminder.triggered', 'notification.sent'])
  })

  it('is held by quiet hours in the app too, unless it is urgent', () => {
    const preferences = { ...DEFAULT_PREFERENCES, quietHours: { start: '11:00', end: '14:00' } }
    const states = (priority: Task['priority']) => {
      const quiet = firing({ task: { priority }, audience: anAudience({ preferences }) })
      const decision = decide(quiet, at('12:00:00'))!
      const { shownBy } = decision.newNotifications![0]!
      return [decision.newDeliveries!.map(({ state }) => state), shownBy?.definition.type]
    }
    expect(states('medium')).toEqual([['held'], undefined])
    expect(states('high')).toEqual([['delivered'], 'notification.sent'])
  })

  it('tells on the channels that it names, whatever the preferences say', () => {
    const preferences = { ...DEFAULT_PREFERENCES, webhookUrl: 'https://example.org/hook' }
    const audience = anAudience({ hasEmail: true, isEmailConfirmed: true, preferences })
    const state = firing({ audience, reminder: { channels: ['email', 'webhook'] } })
    expect(decide(state, at('12:00:00'))!.newDeliveries!.map(({ channel }) => channel)).toEqual([
      'email',
      'webhook',
    ])
  })
})

describe('a reminder that is no longer wanted', () => {
  it.each([
    ['completed', { completedAt: at('11:30:00') }],
    ['deleted', { deletedAt: at('11:30:00') }],
  ])('is cancelled when its task is %s', (_, task) => {
    const decision = decide(firing({ task }), at('12:00:00'))!
    expect(decision.changedReminders).toMatchObject([
      { cancelledAt: at('12:00:00'), fireAt: null, firedAt: null },
    ])
    expect([typesOf(decision), decision.newNotifications]).toEqual([['reminder.cancelled'], undefined])
  })

  it('is cancelled when its task is gone', () => {
    const decision = decide({ ...firing(), task: null }, at('12:00:00'))!
    expect([typesOf(decision), decision.unchangedTasks]).toEqual([['reminder.cancelled'], undefined])
  })
})

describe('a relative reminder whose task has moved without it', () => {
  const moved = (dueAt: Date | null) =>
    firing({
      reminder: { offsetMinutes: 60 },
      task: { dueAt, dueDate: dueAt && dueAt.toISOString().slice(0, 10) },
    })

  it('is set anew and nobody is told', () => {
    const decision = decide(moved(at('15:00:00')), at('12:00:00'))!
    expect(decision.changedReminders).toMatchObject([{ remindAt: at('14:00:00'), fireAt: at('14:00:00') }])
    expect([typesOf(decision), decision.newNotifications]).toEqual([['reminder.rescheduled'], undefined])
  })

  it('waits for a due time when its task has none', () => {
    expect(decide(moved(null), at('12:00:00'))!.changedReminders).toMatchObject([
      { remindAt: null, fireAt: null },
    ])
  })

  it('fires when it is due at the time it was set for', () => {
    expect(typesOf(decide(moved(at('13:00:00')), at('12:00:00')))).toContain('reminder.triggered')
  })
})

describe('a reminder of high priority', () => {
  const high = (reminder: Partial<Reminder>) => firing({ task: { priority: 'high' }, reminder })
  const nextOf = (state: Firing, now: Date) => decide(state, now)!.changedReminders![0]!.fireAt

  it('comes again every ten minutes, five times', () => {
    let { reminder, ...rest } = high({})
    const times: string[] = []
    while (reminder.fireAt) {
      times.push(reminder.fireAt.toISOString().slice(11, 16))
      reminder = decide({ reminder, ...rest }, reminder.fireAt)!.changedReminders![0]!
    }
    expect(times).toEqual(['12:00', '12:10', '12:20', '12:30', '12:40', '12:50'])
  })

  it('does not come again once it is acknowledged', () => {
    expect(nextOf(high({ acknowledgedAt: at('11:00:00') }), at('12:00:00'))).toBeNull()
  })

  it('does not make up for the repetitions of the time it was late', () => {
    expect(nextOf(high({}), at('12:25:00'))).toEqual(at('12:30:00'))
    expect(nextOf(high({}), at('13:25:00'))).toBeNull()
  })

  it('counts its repetitions from the end of a snooze', () => {
    const state = high({ fireAt: at('12:45:00'), snoozedUntil: at('12:45:00'), firedAt: at('12:00:00') })
    const decision = decide(state, at('12:45:01'))!
    expect(decision.changedReminders).toMatchObject([
      { firedAt: at('12:45:00'), fireAt: at('12:55:00'), snoozedUntil: at('12:45:00') },
    ])
  })
})

it('a reminder set back to a time at which it has fired is not told twice', () => {
  const decision = decide(firing({ hasFired: true, task: { priority: 'high' } }), at('12:00:00'))!
  expect(decision.changedReminders).toMatchObject([{ firedAt: at('12:00:00'), fireAt: at('12:10:00') }])
  expect([typesOf(decision), decision.newDeliveries]).toEqual([['reminder.rescheduled'], undefined])
})
