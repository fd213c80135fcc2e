import { describe, expect, it } from 'vitest'
import { dueInstant, nextRepetition, timeOf } from './reminder-plan.ts'

const at = (text: string) => new Date(text)
const allDay = (dueDate: string | null, timeZone: string) => ({ dueAt: null, dueDate, timeZone })

describe('the time of a relative reminder', () => {
  it('counts back from nine in the morning of a day without a time, by the clocks of its zone', () => {
    expect(dueInstant(allDay('2026-03-28', 'Europe/Berlin'))).toEqual(at('2026-03-28T08:00:00Z'))
    expect(dueInstant(allDay('2026-03-29', 'Europe/Berlin'))).toEqual(at('2026-03-29T07:00:00Z'))
    expect(dueInstant(allDay('2026-10-25', 'Europe/Berlin'))).toEqual(at('2026-10-25T08:00:00Z'))
  })

  it('is an exact distance in time across a change of clocks', () => {
    const night = { dueAt: at('2026-03-29T01:30:00Z'), dueDate: '2026-03-29', timeZone: 'Europe/Berlin' }
    expect(timeOf({ offsetMinutes: 120, remindAt: null }, night)).toEqual(at('2026-03-28T23:30:00Z'))
  })
})

describe('repetitions', () => {
  const first = { remindAt: at('2026-03-02T12:00:00Z'), snoozedUntil: null }

  it('are for high priority only', () => {
    expect(nextRepetition(first, 'medium', first.remindAt)).toBeNull()
    expect(nextRepetition(first, 'low', first.remindAt)).toBeNull()
    expect(nextRepetition(first, 'high', first.remindAt)).toEqual(at('2026-03-02T12:10:00Z'))
  })

  it('lie at the same times however late the firing was', () => {
    expect(nextRepetition(first, 'high', at('2026-03-02T12:09:59.999Z'))).toEqual(at('2026-03-02T12:10:00Z'))
    expect(nextRepetition(first, 'high', at('2026-03-02T12:10:00Z'))).toEqual(at('2026-03-02T12:20:00Z'))
    expect(nextRepetition(first, 'high', at('2026-03-02T12:49:59Z'))).toEqual(at('2026-03-02T12:50:00Z'))
    expect(nextRepetition(first, 'high', at('2026-03-02T12:50:00Z'))).toBeNull()
  })

  it('are in the future of a clock that was put back', () => {
    expect(nextRepetition(first, 'high', at('2026-03-02T11:00:00Z'))).toEqual(at('2026-03-02T12:10:00Z'))
  })
})
