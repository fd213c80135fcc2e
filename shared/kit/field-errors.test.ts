import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { LoginInput } from '../domain/auth/identity.ts'
import { civilDate, instant, moment } from '../domain/fields.ts'
import { PushSubscriptionInput } from '../domain/notifications/push-subscription.ts'
import { ReminderInput, ReminderPatch, SnoozeRequest } from '../domain/reminders/reminder.ts'
import { TaskInput } from '../domain/tasks/task.ts'
import { fieldErrors, summaryOf } from './field-errors.ts'

const errorsOf = (schema: z.ZodType, value: unknown) => fieldErrors(schema.safeParse(value).error!, schema)

const DATE_TIME = 'a date-time such as 2027-03-15T08:00:00Z, or 2027-03-15T09:00:00 in local time'

describe('field errors', () => {
  it.each([
    [{}, 'title: is required'],
    [{ title: '' }, 'title: must not be empty'],
    [{ title: 7 }, 'title: must be a string'],
    [{ title: 'x'.repeat(256) }, 'title: must have at most 255 characters'],
    [{ title: 'x', priority: 'urgent' }, 'priority: must be one of low, medium, high'],
    [{ title: 'x', dueAt: null }, 'dueAt: is not a known field. Did you mean due_at?'],
    [{ title: 'x', colour: null }, 'colour: is not a known field'],
    [{ title: 'x', tags: Array.from({ length: 21 }, String) }, 'tags: must have at most 20 entries'],
    [{ title: 'x', parent_id: 'abc' }, 'parent_id: must be a UUID'],
    [{ title: 'x', due_date: '15.03.2027' }, 'due_date: must be a day such as 2027-03-15'],
    [[], 'the body must be an object'],
  ])('says of %j: %s', (value, words) => {
    expect(summaryOf(errorsOf(TaskInput, value))).toBe(words)
  })

  it.each([
    [ReminderInput, {}, 'the body must have remind_at, or offset_minutes'],
    [ReminderInput, { channels: null }, 'the body must have remind_at, or offset_minutes'],
    [
      ReminderInput,
      { remind_at: '2027-03-15T08:00:00Z', offset_minutes: 5 },
      'the body must not have both remind_at and offset_minutes',
    ],
    [
      ReminderInput,
      { offset_minutes: 5, chanels: [] },
      'chanels: is not a known field. Did you mean channels?',
    ],
    [ReminderInput, { offset_minutes: 5, channels: [] }, 'channels: must have at least 1 entry'],
    [ReminderInput, { offset_minutes: 0.5 }, 'offset_minutes: must be a whole number'],
    [
      ReminderInput,
      { remind_at: 'tomorrow', offset_minutes: 5 },
      'remind_at: is not allowed with the other fields that were sent',
    ],
    [
      ReminderPatch,
      { remind_at: '2027-03-15T08:00:00Z', offset_minutes: 5 },
      'the body must not have both remind_at and offset_minutes',
    ],
    [
      LoginInput,
      { email: 'jürgen@example.com', password: 'x' },
      'email: must be ASCII (of an international domain, its xn-- form)',
    ],
    [PushSubscriptionInput, {}, 'the body must have endpoint and keys, or fcm_token'],
    [
      z.object({ keys: z.record(z.string(), z.array(z.strictObject({ auth: z.string().optional() }))) }),
      { keys: { a: [{}, { auht: 1 }] } },
      'keys.a.1.auht: is not a known field. Did you mean auth?',
    ],
    [z.object({ when: SnoozeRequest }), { when: {} }, 'when: must have minutes, or until'],
    [z.object({ at: moment }), {}, 'at: is required'],
  ])('names the forms a value may have when it has none of them, or several (%#)', (schema, value, words) => {
    expect(summaryOf(errorsOf(schema, value))).toBe(words)
  })

  it.each([
    [
      { time_zone: 'Europe/Berln' },
      'time_zone: must be an IANA time zone such as Europe/Berlin, or floating',
    ],
    [{ time_zone: 7 }, 'time_zone: must be an IANA time zone such as Europe/Berlin, or floating'],
    [{ time_zone: 'x'.repeat(65) }, 'time_zone: must have at most 64 characters'],
    [{ due_at: 'tomorrow' }, `due_at: must be ${DATE_TIME}`],
    [{ due_at: '2027-01-01' }, `due_at: must be ${DATE_TIME}`],
    [{ due_at: 7 }, `due_at: must be ${DATE_TIME}`],
    [{ due_at: '1800-01-01T08:00:00Z' }, 'due_at: must be between 1900 and 2200'],
    [{ due_at: '1800-01-01T08:00:00' }, 'due_at: must be between 1900 and 2200'],
    [{ exdates: ['tomorrow'] }, `exdates.0: must be a day such as 2027-03-15, or ${DATE_TIME}`],
    [
      { exdates: ['2027-03-15T08:00:00 01:00'] },
      `exdates.0: must be a day such as 2027-03-15, or ${DATE_TIME}; in a URL a + is %2B`,
    ],
    [{ exdates: ['1800-01-01'] }, 'exdates.0: must be between 1900 and 2200'],
  ])('names all forms of a field that takes several, or the fault of the one it is: %j', (value, words) => {
    expect(summaryOf(errorsOf(TaskInput, { title: 'x', ...value }))).toBe(words)
  })

  it.each(['2027-03-15T08:00:00', '2027-03-15', 'tomorrow'])('asks for the zone of %s', (value) => {
    expect(summaryOf(errorsOf(z.object({ due_at: instant }), { due_at: value }))).toMatch(
      /with its zone, such as/,
    )
  })

  it('is told of a hundred thousand unknown fields as soon as of a few', () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1])
    expect(errorsOf(ReminderInput, Object.fromEntries(fields)).length).toBeGreaterThan(0)
  })

  it('names each field once, in the order of the request', () => {
    const schema = z.object({ a: civilDate, b: z.int().max(3), c: z.string() })
    expect(errorsOf(schema, { a: 'x', b: 9 }).map(({ path }) => path)).toEqual(['a', 'b', 'c'])
  })
})
