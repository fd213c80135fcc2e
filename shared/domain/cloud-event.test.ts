import { HTTP, type CloudEvent as SdkEvent } from 'cloudevents'
import { describe, expect, it } from 'vitest'
import { anEvent, aTask } from '../../testing/builders/a-task.ts'
import { CloudEvent, toCloudEvent, toTaskUpdate, type RecordedEvent } from './cloud-event.ts'
import { markDeadLetter } from './dead-letter.ts'
import type { EventType } from './events.ts'
import { taskView } from './tasks/task.ts'

const task = aTask({ version: 3 })
const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' }
const recorded = (type: EventType, data: unknown, over: Partial<RecordedEvent> = {}): RecordedEvent => ({
  ...anEvent({ type, subject: `task/${task.id}`, data, trace }),
  userId: task.userId,
  sequence: 42,
  ...over,
})

describe('toCloudEvent', () => {
  it('is a CloudEvent 1.0 with the sequence as text that sorts', () => {
    const event = recorded('task.completed', { task: taskView(task) })
    const sent = toCloudEvent(event)
    expect(CloudEvent.parse(sent)).toEqual(sent)
    expect(sent).toEqual({
      specversion: '1.0',
      id: event.id,
      type: 'task.completed',
      source: '/services/tasks',
      subject: `task/${task.id}`,
      time: '2026-03-02T12:00:00.000Z',
      datacontenttype: 'application/json',
      dataschema: 'urn:daybook:event:task.completed:1.1',
      dataversion: '1.1',
      userid: task.userId,
      sequence: '00000000000000000042',
      ...trace,
      data: { task: taskView(task) },
    })
  })

  it('is taken by the SDK of CloudEvents as it was sent, also in short and as a dead letter', () => {
    const event = recorded('task.completed', { task: taskView(task) })
    const letter = markDeadLetter(toCloudEvent(event), { consumer: 'any', reason: 'no such series' })
    for (const sent of [toCloudEvent(event), toTaskUpdate(event), letter]) {
      const headers = { 'content-type': 'application/cloudevents+json' }
      const read = HTTP.toEvent({ headers, body: JSON.stringify(sent) }) as SdkEvent
      expect(read.validate()).toBe(true)
      expect(read.toJSON()).toEqual(sent)
    }
  })

  it('leaves trace attributes out that are not there', () => {
    const sent = toCloudEvent(recorded('task.completed', {}, { trace: { ...trace, tracestate: null } }))
    expect(sent).toHaveProperty('traceparent')
    expect(sent).not.toHaveProperty('tracestate')
    expect(toCloudEvent(recorded('task.completed', {}, { trace: null }))).not.toHaveProperty('traceparent')
  })
})

describe('toTaskUpdate', () => {
  it('is the change in short, under the same id and sequence', () => {
    const event = recorded('task.updated', { task: taskView(task), changes: {} })
    expect(toTaskUpdate(event)).toEqual({
      ...toCloudEvent(event),
      dataschema: 'urn:daybook:event:task.update:1.0',
      dataversion: '1.0',
      data: { task_id: task.id, version: 3, sequence: '00000000000000000042', type: 'task.updated' },
    })
  })

  it('names no task when many have moved', () => {
    expect(toTaskUpdate(recorded('task.reordered', { positions: [] }))?.data).toMatchObject({
      task_id: null,
      version: null,
      type: 'task.reordered',
    })
  })

  it('is none for what is no change of a task', () => {
    expect(toTaskUpdate(recorded('series.updated', { series: {} }))).toBeNull()
    expect(toTaskUpdate(recorded('auth.logout', {}))).toBeNull()
  })
})
