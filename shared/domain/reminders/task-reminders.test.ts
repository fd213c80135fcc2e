import { describe, expect, it } from 'vitest'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { aTask } from '../../../testing/builders/a-task.ts'
import type { Reminder } from './reminder.ts'
import { concernsReminders, remindersFollowing } from './task-reminders.ts'
import type { Task } from '../tasks/task.ts'

const at = (time: string) => new Date(`2026-03-02T${time}:00.000Z`)
const now = at('12:00')
const due = (time: string): Partial<Task> => ({ dueAt: at(time), dueDate: '2026-03-02' })
const NO_DUE = { dueAt: null, dueDate: null }

let ids = 0
const newId = () => `019c0000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`

/** What becomes of one reminder when its task is this; null when it stays as it is. */
function follow(reminder: Partial<Reminder>, task: Partial<Task>) {
  const made = remindersFollowing([{ task: aTask(task), reminders: [aReminder(reminder)] }], { now, newId })
  expect(made.newReminders).toEqual([])
  expect(made.changedReminders.every(({ version, updatedAt }) => version === 2 && updatedAt === now)).toBe(
    true,
  )
  const types = made.facts.map(({ definition }) => definition.type)
  return made.changedReminders[0] ? { ...made.changedReminders[0], types } : null
}

/** An hour before a task that was due at 15:00: it has not fired. */
const RELATIVE = { offsetMinutes: 60, remindAt: at('14:00'), fireAt: at('14:00') }
const FIRED = { ...RELATIVE, remindAt: at('11:00'), fireAt: null, firedAt: at('11:00') }

describe('a relative reminder that has not fired', () => {
  it.each(['12:00', '11:59'])('fires no more when the task has been due at %s as well', (time) => {
    expect(follow(RELATIVE, due(time))).toMatchObject({ fireAt: null, types: ['reminder.rescheduled'] })
  })

  it('waits for a due time when the task has none, and goes on with the next', () => {
    const waiting = follow(RELATIVE, NO_DUE)!
    expect(waiting).toMatchObject({ remindAt: null, fireAt: null, cancelledAt: null })
    expect(follow({ ...waiting, version: 1 }, due('15:00'))).toMatchObject({ fireAt: at('14:00') })
  })

  it('keeps a snooze when its time has passed, and loses it to a time to come', () => {
    const snoozed = { ...RELATIVE, snoozedUntil: at('13:00'), fireAt: at('13:00') }
    expect(follow(snoozed, due('12:30'))).toMatchObject({ remindAt: at('11:30'), fireAt: at('13:00') })
    expect(follow(snoozed, due('17:00'))).toMatchObject({ fireAt: at('16:00'), snoozedUntil: null })
  })

  it('does not come back for a time that has passed once it was acknowledged', () => {
    const seen = { ...RELATIVE, acknowledgedAt: at('11:00'), fireAt: null }
    expect(follow(seen, due('12:30'))).toMatchObject({ remindAt: at('11:30'), fireAt: null })
    expect(follow(seen, due('17:00'))).toMatchObject({ fireAt: at('16:00'), acknowledgedAt: null })
  })
})

describe('a relative reminder that has fired', () => {
  it('fires again when its new time is to come, and remembers that it has fired', () => {
    const seen = { ...FIRED, acknowledgedAt: at('11:05'), snoozedUntil: at('11:30') }
    expect(follow(seen, due('17:00'))).toMatchObject({
      remindAt: at('16:00'),
      fireAt: at('16:00'),
      firedAt: at('11:00'),
      acknowledgedAt: null,
      snoozedUntil: null,
      types: ['reminder.rescheduled'],
    })
  })

  it.each(['12:30', '13:00', '11:00'])('does not fire again when the task is moved to %s', (time) => {
    expect(follow(FIRED, due(time))).toMatchObject({ fireAt: null, firedAt: at('11:00') })
  })

  it('goes on repeating, or sleeping, when it is moved to a time that has passed', () => {
    const urgent = { ...due('12:30'), priority: 'high' as const }
    expect(follow({ ...FIRED, fireAt: at('12:10') }, urgent)).toMatchObject({ fireAt: at('12:10') })
    const asleep = { ...FIRED, snoozedUntil: at('12:10'), fireAt: at('12:10') }
    expect(follow(asleep, due('12:30'))).toMatchObject({ fireAt: at('12:10') })
  })

  it('repeats no more when its task is not of high priority any more', () => {
    const repeating = { ...FIRED, fireAt: at('12:10') }
    expect(follow(repeating, due('12:00'))).toMatchObject({ fireAt: null, types: ['reminder.rescheduled'] })
  })

  it('does not fire at a time that it was moved to when it is moved on to one that has passed', () => {
    const ahead = { ...FIRED, remindAt: at('14:00'), fireAt: at('14:00') }
    expect(follow(ahead, due('12:30'))).toMatchObject({ remindAt: at('11:30'), fireAt: null })
    expect(follow(ahead, due('12:00'))).toMatchObject({ remindAt: at('11:00'), fireAt: null })
  })

  it('does not fire twice for one planned time, whatever the clock does', () => {
    const ahead = { ...FIRED, remindAt: at('15:00'), firedAt: at('14:00') }
    expect(follow(ahead, due('15:00'))).toMatchObject({ remindAt: at('14:00'), fireAt: null })
  })
})

describe('a task that is due on a day', () => {
  it('takes its reminders along into another zone', () => {
    const day = { dueAt: null, dueDate: '2026-03-05' }
    const before = { offsetMinutes: 60, remindAt: new Date('2026-03-05T08:00:00Z') }
    const tokyo = follow({ ...before, fireAt: before.remindAt }, { ...day, timeZone: 'Asia/Tokyo' })
    expect(tokyo).toMatchObject({ fireAt: new Date('2026-03-04T23:00:00Z') })
  })

  it('leaves reminders of a due time alone when only the zone changes', () => {
    expect(follow(RELATIVE, { ...due('15:00'), timeZone: 'Asia/Tokyo' })).toBeNull()
  })
})

describe('an absolute reminder', () => {
  it('stays where it is when the due time moves or goes', () => {
    const absolute = { remindAt: at('14:00') }
    expect(follow(absolute, due('17:00'))).toBeNull()
    expect(follow(absolute, NO_DUE)).toBeNull()
  })
})

describe('a task that is closed', () => {
  it('cancels repetitions and snoozes as well', () => {
    const repeating = { ...FIRED, fireAt: at('12:10') }
    expect(follow(repeating, { ...due('12:00'), completedAt: now })).toMatchObject({
      fireAt: null,
      cancelledAt: now,
    })
    const waiting = { ...RELATIVE, remindAt: null, fireAt: null }
    expect(follow(waiting, { ...NO_DUE, completedAt: now })).toMatchObject({ cancelledAt: now })
  })

  it('leaves what has come and gone as it was', () => {
    expect(follow(FIRED, { ...due('12:00'), completedAt: now })).toBeNull()
    const seen = { ...RELATIVE, acknowledgedAt: at('11:00'), fireAt: null }
    expect(follow(seen, { ...due('15:00'), completedAt: now })).toBeNull()
  })

  it('cancels once', () => {
    const cancelled = { ...RELATIVE, fireAt: null, cancelledAt: at('11:00') }
    expect(follow(cancelled, { ...due('15:00'), completedAt: at('11:00'), deletedAt: now })).toBeNull()
  })

  it('keeps its reminders silent when it is moved, and moves them', () => {
    const cancelled = { ...RELATIVE, fireAt: null, cancelledAt: at('11:00') }
    expect(follow(cancelled, { ...due('17:00'), completedAt: at('11:00') })).toMatchObject({
      remindAt: at('16:00'),
      fireAt: null,
      cancelledAt: at('11:00'),
    })
    expect(follow(FIRED, { ...due('17:00'), completedAt: at('11:30') })).toMatchObject({
      remindAt: at('16:00'),
      fireAt: null,
      cancelledAt: now,
    })
  })
})

describe('a task that is open again', () => {
  const CANCELLED = { ...RELATIVE, fireAt: null, cancelledAt: at('11:00') }
  it('has its reminders back, those to come with their firing', () => {
    expect(follow(CANCELLED, due('15:00'))).toMatchObject({
      cancelledAt: null,
      fireAt: at('14:00'),
      types: ['reminder.rescheduled'],
    })
    const past = { ...CANCELLED, remindAt: at('11:30') }
    expect(follow(past, due('12:30'))).toMatchObject({ cancelledAt: null, fireAt: null })
  })

  it('goes on with a snooze that has not ended, and not with one that has', () => {
    const fired = { ...FIRED, cancelledAt: at('11:30') }
    const snoozed = (until: string) => follow({ ...fired, snoozedUntil: at(until) }, due('12:00'))
    expect(snoozed('13:00')).toMatchObject({ cancelledAt: null, fireAt: at('13:00') })
    expect(snoozed('12:00')).toMatchObject({ cancelledAt: null, fireAt: null })
  })

  it('goes on repeating by its plan when it is of high priority, and not when it is of another', () => {
    const fired = { ...FIRED, remindAt: at('11:45'), firedAt: at('11:55'), cancelledAt: at('11:57') }
    const insistent = { ...due('12:45'), priority: 'high' } as const
    expect(follow(fired, insistent)).toMatchObject({ cancelledAt: null, fireAt: at('12:05') })
    expect(follow(fired, due('12:45'))).toMatchObject({ cancelledAt: null, fireAt: null })
    expect(follow({ ...fired, acknowledgedAt: now }, insistent)).toMatchObject({ fireAt: null })
    // It has not fired at its time, which is not made up for.
    expect(follow({ ...fired, firedAt: at('10:00') }, insistent)).toMatchObject({ fireAt: null })
  })

  it('does not bring back what was acknowledged', () => {
    const seen = { ...CANCELLED, acknowledgedAt: at('10:00') }
    expect(follow(seen, due('15:00'))).toMatchObject({ cancelledAt: null, fireAt: null })
  })
})

describe("a task's own remind_at", () => {
  const made = (task: Partial<Task>, reminders: Partial<Reminder>[] = []) =>
    remindersFollowing([{ task: aTask(task), reminders: reminders.map((one) => aReminder(one)) }], {
      now,
      newId,
    })

  it.each<[string, Partial<Task>]>([
    ['it has passed', { remindAt: now }],
    ['there is none', {}],
    ['the task is completed', { remindAt: at('14:00'), completedAt: now }],
  ])('is none when %s', (_, task) => {
    expect(made(task)).toEqual({ newReminders: [], changedReminders: [], facts: [] })
  })

  it('stays beside the reminders of the user', () => {
    expect(made({ remindAt: at('14:00') }, [{ remindAt: at('14:00') }]).newReminders).toHaveLength(1)
  })
})

describe('concernsReminders', () => {
  it.each<[string, Partial<Task>, boolean]>([
    ['another title', { title: 'Another' }, false],
    ['another zone', { timeZone: 'Asia/Tokyo' }, false],
    ['another due time', due('16:00'), true],
    ['no due time', NO_DUE, true],
    ['another remind_at', { remindAt: now }, true],
    ['completion', { completedAt: now }, true],
    ['deletion', { deletedAt: now }, true],
  ])('tells whether a change has to do with them: %s', (_, after, does) => {
    const before = aTask(due('15:00'))
    expect(concernsReminders(before, { ...before, ...after })).toBe(does)
  })
})
