import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { civilDate, instant, moment } from '../domain/fields.ts'
import { PushSubscriptionInput } from '../domain/notifications/push-subscription.ts'
import { ReminderInput, ReminderPatch, SnoozeRequest } from '../domain/reminders/reminder.ts'
import { TaskInput } from '../domain/tasks/task.ts'
import { fieldErrors, summaryOf } from './field-errors.ts'

const errorsOf = (schema: z.ZodType, value: unknown) => fieldErrors(schema.safeParse(value).error!, schema)

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
