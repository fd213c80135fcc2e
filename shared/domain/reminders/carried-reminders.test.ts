import { describe, expect, it } from 'vitest'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { aTask } from '../../../testing/builders/a-task.ts'
import { carryReminders } from './carried-reminders.ts'
import type { Reminder } from './reminder.ts'
import type { Task } from '../tasks/task.ts'

const at = (text: string) => new Date(text)
const BERLIN = { timeZone: 'Europe/Berlin' }
/** 9:00 in Berlin, on the last Saturday of winter and the first Monday of summer time. */
const LAST = aTask({ ...BERLIN, dueAt: at('2026-03-28T08:00:00Z'), dueDate: '2026-03-28' })
const NEXT = aTask({ ...BERLIN, dueAt: at('2026-03-30T07:00:00Z'), dueDate: '2026-03-30' })
const NOW = at('2026-03-28T09:00:00Z')

let ids = 0
const newId = () => `019c0000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`

function carry(
  reminders: Partial<Reminder>[],
  {
    last,
    next,
    now = NOW,
    closedAt = now,
  }: { last?: Partial<Task>; next?: Partial<Task>; now?: Date; closedAt?: Date } = {},
) {
  const from = { task: { ...LAST, ...last }, reminders: reminders.map((one) => aReminder(one)) }
  return carryReminders(from, { ...NEXT, ...next }, { now, newId, closedAt })
}

describe('the reminders of the next occurrence', () => {
  it('are those of the last one anew, whatever had become of them', () => {
    const past = { fireAt: null, firedAt: NOW, acknowledgedAt: NOW, snoozedUntil: NOW, cancelledAt: NOW }
    const own = { offsetMinutes: 30, channels: ['email'] } as const
    const { newReminders, facts } = carry([{ ...past, ...own }])
    const fresh = { firedAt: null, acknowledgedAt: null, snoozedUntil: null, cancelledAt: null, version: 1 }
    expect(newReminders).toMatchObject([{ ...fresh, ...own, fireAt: at('2026-03-30T06:30:00Z') }])
    expect(facts.map(({ definition }) => definition.type)).toEqual(['reminder.scheduled'])
  })

  it.each([
    ['the evening before', '2026-03-27T19:00:00Z', '2026-03-29T18:00:00Z'],
    ['an hour before', '2026-03-28T07:00:00Z', '2026-03-30T06:00:00Z'],
    ['an hour after', '2026-03-28T09:00:00Z', '2026-03-30T08:00:00Z'],
  ])('keep the time on the wall when they are absolute: %s', (_, before, after) => {
    expect(carry([{ remindAt: at(before) }]).newReminders).toMatchObject([
      { offsetMinutes: null, remindAt: at(after), fireAt: at(after) },
    ])
  })

  it('move forward out of the hour that the clocks leave out', () => {
    const sunday = { dueAt: at('2026-03-29T07:00:00Z'), dueDate: '2026-03-29' }
    const { newReminders } = carry([{ remindAt: at('2026-03-28T01:30:00Z') }], {
      next: sunday,
      now: at('2026-03-28T08:30:00Z'),
    })
    expect(newReminders).toMatchObject([{ remindAt: at('2026-03-29T01:30:00Z') }])
  })

  it("carry the task's own remind_at on, with its channels", () => {
    const remindAt = at('2026-03-28T07:00:00Z')
    const own = { origin: 'task', remindAt, channels: ['web_push'] } as const
    for (const [reminders, channels] of [
      [[own], ['web_push']],
      [[], null],
    ] as const) {
      const { task, newReminders } = carry([...reminders], { last: { remindAt } })
      expect(task.remindAt).toEqual(at('2026-03-30T06:00:00Z'))
      expect(newReminders).toMatchObject([{ origin: 'task', remindAt: task.remindAt, channels }])
    }
  })

  it('count days from nine in the morning', () => {
    const days = { last: { dueAt: null }, next: { dueAt: null } }
    expect(
      carry([{ offsetMinutes: 60 }, { remindAt: at('2026-03-28T07:00:00Z') }], days).newReminders,
    ).toMatchObject([{ fireAt: at('2026-03-30T06:00:00Z') }, { fireAt: at('2026-03-30T06:00:00Z') }])
  })

  it('count from the occurrence when the last one was due no more', () => {
    const last = { dueAt: null, dueDate: null, occurrenceAt: LAST.dueAt }
    const { newReminders } = carry([{ remindAt: at('2026-03-28T07:00:00Z') }], {
      last,
      next: { occurrenceAt: NEXT.dueAt },
    })
    expect(newReminders).toMatchObject([{ remindAt: at('2026-03-30T06:00:00Z') }])
  })

  it('fire at once when their time has passed, and not at all when the occurrence has', () => {
    const reminders = [{ offsetMinutes: 60 }]
    const passed = at('2026-03-30T06:30:00Z')
    expect(carry(reminders, { now: passed }).newReminders).toMatchObject([{ fireAt: passed }])
    expect(carry(reminders, { now: NEXT.dueAt! }).newReminders).toMatchObject([{ fireAt: null }])
  })

  it.each([
    ['when the last was closed, nor made up for later', '2026-03-30T06:00:00Z', '2026-03-30T06:30:00Z', null],
    ['after it, made up for', '2026-03-30T05:59:59Z', '2026-03-30T06:30:00Z', '2026-03-30T06:30:00Z'],
    ['ahead', '2026-03-30T05:00:00Z', '2026-03-30T05:30:00Z', '2026-03-30T06:00:00Z'],
  ])('by default fire for what was ahead: its time had passed %s', (_, closedAt, now, fireAt) => {
    const byDefault = { origin: 'default', offsetMinutes: 60, channels: ['in_app'] } as const
    expect(carry([byDefault], { closedAt: at(closedAt), now: at(now) }).newReminders).toMatchObject([
      { ...byDefault, fireAt: fireAt && at(fireAt), deletedAt: null },
    ])
  })
})
