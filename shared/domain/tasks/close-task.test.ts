import { describe, expect, it } from 'vitest'
import { aSeries, aTask } from '../../../testing/builders/a-task.ts'
import { decideComplete, decideDelete, decideReopen, decideRestore, decideSkip } from './close-task.ts'
import type { TaskDecision } from '../decision.ts'
import type { Series } from '../recurrence/series.ts'
import type { Task } from './task.ts'

const NOW = new Date('2026-03-02T12:00:00Z')
const AT = new Date('2026-03-02T09:00:00Z')

/** The open occurrence of an active series. */
function live(over: { task?: Partial<Task>; series?: Partial<Series> } = {}) {
  const series = aSeries({ version: 5 })
  const task = aTask({
    userId: series.userId,
    seriesId: series.id,
    occurrenceAt: AT,
    dueAt: AT,
    dueDate: '2026-03-02',
    recurrenceRule: series.rule,
    version: 3,
    ...over.task,
  })
  return { task, series: { ...series, liveTaskId: task.id, ...over.series } }
}
const types = ({ facts }: TaskDecision) => facts.map(({ definition }) => definition.type)

describe('closing the open occurrence', () => {
  it.each([
    ['completed', decideComplete, { completedAt: NOW }],
    ['skipped', decideSkip, { deletedAt: NOW }],
  ] as const)('leaves an active series without one: %s', (state, decide, closed) => {
    const given = live()
    const decision = decide(given, NOW)
    expect(decision.task).toEqual({ ...given.task, ...closed, version: 4, updatedAt: NOW })
    expect(decision.changedTasks).toEqual([{ before: given.task, after: decision.task }])
    expect(decision.series).toEqual({ ...given.series, liveTaskId: null, version: 6, updatedAt: NOW })
    expect(decision.changedOccurrences).toEqual([
      { seriesId: given.series.id, occurrenceAt: AT, state, taskId: given.task.id, closedAt: NOW },
    ])
  })

  it('ends the series when it is deleted, in one change of the series', () => {
    const given = live()
    const decision = decideDelete(given, NOW)
    expect(decision.series).toEqual({
      ...given.series,
      liveTaskId: null,
      state: 'ended',
      version: 6,
      updatedAt: NOW,
    })
    expect(decision.changedOccurrences?.[0]?.state).toBe('skipped')
    expect(types(decision)).toEqual(['task.deleted', 'series.ended'])
  })

  it('leaves the series alone when another occurrence is the open one', () => {
    const given = live({ series: { liveTaskId: 'another' } })
    expect(decideComplete(given, NOW)).toMatchObject({ changedOccurrences: [{ state: 'completed' }] })
    expect(decideComplete(given, NOW).series).toBeUndefined()
    expect(decideDelete(given, NOW).series).toBeUndefined()
    expect(() => decideSkip(given, NOW)).toThrow('Only the open occurrence')
  })

  it('keeps a completed occurrence completed in the history when its task is deleted', () => {
    const given = live({ task: { completedAt: NOW }, series: { liveTaskId: 'another' } })
    expect(decideDelete(given, NOW).changedOccurrences).toBeUndefined()
  })

  it('is nothing when it is done already', () => {
    const task = aTask({ completedAt: AT })
    expect(decideComplete({ task, series: null }, NOW)).toEqual({ task, facts: [] })
  })
})

describe('decideReopen', () => {
  const done = (over: Partial<Series> = {}) =>
    live({ task: { completedAt: AT }, series: { liveTaskId: null, generated: 4, ...over } })

  it('makes the occurrence the open one again when the series has not gone on', () => {
    const given = done()
    const decision = decideReopen({ ...given, isLast: true }, null, NOW)
    expect(decision.series).toMatchObject({
      liveTaskId: given.task.id,
      state: 'active',
      generated: 4,
      version: 6,
    })
    expect(decision.changedOccurrences).toMatchObject([
      { state: 'open', closedAt: null, taskId: given.task.id },
    ])
    expect(types(decision)).toEqual(['task.reopened'])
  })

  it('takes an untouched successor out of the series and back from its count', () => {
    const given = done({ liveTaskId: 'next' })
    const successor = aTask({ seriesId: given.series.id, occurrenceAt: NOW, recurrenceRule: 'FREQ=DAILY' })
    const decision = decideReopen({ ...given, isLast: true }, successor, NOW)
    expect(decision.series).toMatchObject({ liveTaskId: given.task.id, generated: 3 })
    expect(decision.droppedOccurrences).toEqual([{ seriesId: given.series.id, occurrenceAt: NOW }])
    expect(decision.changedTasks?.[1]?.after).toMatchObject({
      deletedAt: NOW,
      seriesId: null,
      occurrenceAt: null,
      recurrenceRule: null,
      version: 2,
    })
    expect(types(decision)).toEqual(['task.reopened', 'task.deleted'])
  })

  it('does not throw away a successor that was changed', () => {
    const successor = aTask({ version: 2, occurrenceAt: NOW })
    expect(() => decideReopen({ ...done(), isLast: true }, successor, NOW)).toThrow(
      expect.objectContaining({ code: 'task.successor_exists' }),
    )
  })

  it('tells that an ended series goes on', () => {
    const decision = decideReopen({ ...done({ state: 'ended' }), isLast: true }, null, NOW)
    expect([decision.series?.state, types(decision)]).toEqual(['active', ['task.reopened', 'series.updated']])
  })

  it('opens an occurrence that others have followed without its rule', () => {
    const given = done({ liveTaskId: 'much later' })
    const decision = decideReopen({ ...given, isLast: false }, aTask({ version: 9 }), NOW)
    expect(decision.task).toMatchObject({
      completedAt: null,
      recurrenceRule: null,
      seriesId: given.series.id,
    })
    expect(decision.series).toBeUndefined()
    expect(decision.changedOccurrences).toMatchObject([{ state: 'open' }])
  })

  it('is nothing for an open task', () => {
    const given = live()
    expect(decideReopen({ ...given, isLast: false }, null, NOW)).toEqual({ task: given.task, facts: [] })
  })
})

describe('decideRestore', () => {
  const gone = (over: { task?: Partial<Task>; series?: Partial<Series> } = {}) =>
    live({
      task: { deletedAt: AT, ...over.task },
      series: { liveTaskId: null, state: 'ended', ...over.series },
    })

  it('revives the series that ended with the task', () => {
    const given = gone()
    const decision = decideRestore({ ...given, isLast: true }, null, NOW)
    expect(decision.task).toMatchObject({ deletedAt: null, recurrenceRule: 'FREQ=DAILY' })
    expect(decision.series).toMatchObject({ state: 'active', liveTaskId: given.task.id })
    expect(decision.changedOccurrences).toMatchObject([{ state: 'open', closedAt: null }])
    expect(types(decision)).toEqual(['task.restored', 'series.updated'])
  })

  it.each([
    ['its successor has been changed', gone({ series: { liveTaskId: 'another', state: 'active' } }), true],
    ['others have followed', gone(), false],
    ['its rule was removed', gone({ task: { recurrenceRule: null } }), true],
  ])('brings the task back by itself when %s', (_, given, isLast) => {
    const decision = decideRestore({ ...given, isLast }, aTask({ version: 2, occurrenceAt: NOW }), NOW)
    expect(decision.task).toMatchObject({ deletedAt: null, recurrenceRule: null })
    expect(decision.series).toBeUndefined()
  })

  it('is refused after 30 days', () => {
    const late = new Date(AT.getTime() + 30 * 86_400_000 + 1)
    expect(() => decideRestore({ ...gone(), isLast: true }, null, late)).toThrow(
      expect.objectContaining({ code: 'task.restore_expired' }),
    )
    expect(
      decideRestore({ ...gone(), isLast: true }, null, new Date(late.getTime() - 1)).task.deletedAt,
    ).toBeNull()
  })
})
