import { describe, expect, it } from 'vitest'
import { anEvent, aSeries, aTask } from '../../testing/builders/a-task.ts'
import { seriesFact, taskFact } from './decision.ts'
import { draftEvent } from './draft-event.ts'
import { TOPICS } from './event-definition.ts'
import { CATALOGUE, definitionOf, SeriesEnded, TaskCompleted } from './events.ts'

const actor = { type: 'user', id: 'ada' } as const

describe('the catalogue of events', () => {
  it('names each type once, dotted, on a topic that exists', () => {
    const types = CATALOGUE.map(({ type }) => type)
    expect(new Set(types).size).toBe(types.length)
    for (const { type, topic, source } of CATALOGUE) {
      expect(type).toMatch(/^[a-z]+(\.[a-z_]+)+$/)
      expect(source).toMatch(/^\/services\/[a-z]+$/)
      expect(TOPICS).toContain(topic)
      expect(definitionOf(type)?.topic).toBe(topic)
    }
    expect(definitionOf('task.exploded')).toBeUndefined()
  })
})

describe('draftEvent', () => {
  const at = { id: anEvent().id, time: new Date('2026-03-02T12:00:00Z'), trace: null }

  it('keeps the whole entity', () => {
    const task = aTask({ tags: ['home'] })
    const { subject, data } = taskFact(TaskCompleted, task)
    const event = draftEvent(TaskCompleted, { ...at, subject, data: { ...data, actor } as never })
    expect(event).toMatchObject({
      type: 'task.completed',
      source: '/services/tasks',
      subject: `task/${task.id}`,
    })
    expect(event.data).toMatchObject({ task: { id: task.id, tags: ['home'], version: 1 }, actor })
  })

  it('refuses data that does not fit, so that no such event is ever stored', () => {
    const { subject, data } = seriesFact(SeriesEnded, aSeries())
    expect(() => draftEvent(SeriesEnded, { ...at, subject, data: data as never })).toThrow('actor')
    expect(() => draftEvent(TaskCompleted, { ...at, subject, data: { ...data, actor } as never })).toThrow(
      'task',
    )
  })
})
