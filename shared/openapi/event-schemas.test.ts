import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { toCloudEvent, toTaskUpdate, type RecordedEvent } from '../domain/cloud-event.ts'
import { draftEvent } from '../domain/draft-event.ts'
import { CATALOGUE, TaskCreated, TaskReordered } from '../domain/events.ts'
import type { TaskView } from '../domain/tasks/task.ts'
import { eventSchemas } from './event-schemas.ts'

const schemas = eventSchemas()
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)

const id = '0199d0a0-0000-7000-8000-000000000000'
const at = '2027-03-01T09:00:00.000Z'
const task: TaskView = {
  id,
  user_id: id,
  title: 'Pay rent',
  description: null,
  priority: 'high',
  priority_color: 'red',
  tags: ['home'],
  is_completed: false,
  completed_at: null,
  due_date: '2027-03-01',
  due_at: at,
  time_zone: 'UTC',
  remind_at: null,
  is_recurring: false,
  recurrence_rule: null,
  series_id: null,
  occurrence_at: null,
  repeat_from: 'due',
  month_end: null,
  exdates: [],
  rdates: [],
  parent_id: null,
  position: 1,
  version: 1,
  created_at: at,
  updated_at: at,
  deleted_at: null,
}
const actor = { type: 'user' as const, id }
const place = { id, time: new Date(at), subject: `task/${id}`, trace: null }
const created: RecordedEvent = {
  ...draftEvent(TaskCreated, { ...place, data: { task, actor } }),
  userId: id,
  sequence: 7,
}
const reordered: RecordedEvent = {
  ...draftEvent(TaskReordered, {
    ...place,
    data: { positions: [{ task_id: id, position: 1, version: 2 }], actor },
  }),
  userId: id,
  sequence: 8,
}

const errorsOf = (name: string, event: unknown) => {
  const { $id: _, ...schema } = schemas[name] ?? {}
  const validate = ajv.compile(schema)
  return validate(event) ? [] : validate.errors
}

describe('eventSchemas', () => {
  it('has a schema for every event of the catalogue and for the compact copy', () => {
    expect(Object.keys(schemas).toSorted()).toEqual(
      [...CATALOGUE.map(({ type }) => type), 'task.update'].toSorted(),
    )
  })

  it('says in its first line that it is generated', () => {
    for (const schema of Object.values(schemas)) {
      expect(Object.entries(schema)[0]).toEqual([
        '$comment',
        expect.stringMatching(/^Generated from shared\/domain\/events/),
      ])
    }
  })

  it('accepts the events that Daybook publishes', () => {
    expect(errorsOf('task.created', toCloudEvent(created))).toEqual([])
    expect(errorsOf('task.reordered', toCloudEvent(reordered))).toEqual([])
    expect(errorsOf('task.update', toTaskUpdate(created))).toEqual([])
    expect(errorsOf('task.update', toTaskUpdate(reordered))).toEqual([])
  })

  it('refuses an event of another type, without its owner, or with data of another shape', () => {
    const event = toCloudEvent(created)
    expect(errorsOf('task.completed', event)).not.toEqual([])
    expect(errorsOf('task.created', { ...event, userid: undefined })).not.toEqual([])
    expect(errorsOf('task.created', { ...event, data: { ...task } })).not.toEqual([])
  })

  it('accepts fields that a later Daybook adds', () => {
    const event = toCloudEvent(created)
    const data = { task: { ...task, colour: 'blue' }, actor, reason: 'new' }
    expect(errorsOf('task.created', { ...event, newextension: 'x', data })).toEqual([])
  })
})
