import { describe, expect, it } from 'vitest'
import { anOccurrence, aSeries, aTask } from '../../../testing/builders/a-task.ts'
import { lastClosed, tookLastStep } from './last-occurrence.ts'
import type { OccurrenceState } from './series.ts'

const at = (day: number) => new Date(Date.UTC(2026, 2, day, 9))
const one = (taskId: string | null, day: number, state: OccurrenceState, closed?: number) =>
  anOccurrence({ taskId, occurrenceAt: at(day), state, closedAt: closed === undefined ? null : at(closed) })

describe('lastClosed', () => {
  it('is the one closed last, not the one that lies last', () => {
    const early = one('early', 9, 'completed', 1)
    const late = one('late', 2, 'skipped', 3)
    expect(lastClosed([early, late, one(null, 4, 'missed', 5), one('open', 5, 'open')])).toBe(late)
  })

  it('is the later of two closed in the same millisecond', () => {
    const [first, second] = [one('first', 2, 'completed', 3), one('second', 3, 'completed', 3)]
    expect(lastClosed([first, second])).toBe(second)
    expect(lastClosed([second, first])).toBe(second)
  })

  it('is none before any was closed', () => {
    expect(lastClosed([])).toBeNull()
    expect(lastClosed([one('open', 5, 'open'), one(null, 4, 'missed', 5)])).toBeNull()
  })
})

describe('tookLastStep', () => {
  const task = aTask()
  const closed = one(task.id, 3, 'completed', 3)

  it.each([
    ['nothing followed', [closed], null, true],
    ['its successor is open', [one('live', 4, 'open'), closed], 'live', true],
    ['days were missed since', [one(null, 4, 'missed', 5), closed], null, true],
    ['an earlier one was opened again by itself', [closed, one('old', 2, 'open')], null, true],
    ['another was closed after it', [one('next', 4, 'completed', 4), closed], null, false],
    ['a later one stands open without the series', [one('left', 4, 'open'), closed], null, false],
    ['it was never closed', [one(task.id, 3, 'open')], null, false],
  ])('when %s', (_, recent, liveTaskId, expected) => {
    expect(tookLastStep(task, aSeries({ liveTaskId }), recent)).toBe(expected)
  })

  it('when one that stands by itself was closed while the series waits', () => {
    const waiting = aSeries({ liveTaskId: null, updatedAt: at(3) })
    expect(tookLastStep(task, waiting, [one('old', 2, 'completed', 4), closed])).toBe(true)
  })
})
