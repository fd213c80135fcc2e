import { describe, expect, it } from 'vitest'
import { decideDue } from './due.ts'

const at = (text: string) => new Date(text)
const NONE = { dueAt: null, dueDate: null, timeZone: 'Europe/Berlin' }
const ON_A_DAY = { ...NONE, dueDate: '2026-03-29' }
const AT_A_TIME = { ...NONE, dueAt: at('2026-03-29T22:30:00Z'), dueDate: '2026-03-30' }

describe('decideDue', () => {
  it.each([
    ['nothing named', NONE, {}, NONE],
    ['nothing named', ON_A_DAY, {}, ON_A_DAY],
    ['nothing named', AT_A_TIME, {}, AT_A_TIME],
    ['a date stays a date', NONE, { due_date: '2026-03-29' }, ON_A_DAY],
    ['a time carries its day', NONE, { due_at: at('2026-03-29T22:30:00Z') }, AT_A_TIME],
    ['a time replaces a date', ON_A_DAY, { due_at: at('2026-03-29T22:30:00Z') }, AT_A_TIME],
    ['a date replaces a time', AT_A_TIME, { due_date: '2026-03-29' }, ON_A_DAY],
    ['no time, but a date', AT_A_TIME, { due_at: null, due_date: '2026-03-29' }, ON_A_DAY],
    ['both, agreeing', NONE, { due_at: at('2026-03-29T22:30:00Z'), due_date: '2026-03-30' }, AT_A_TIME],
    ['no time clears the day it carried', AT_A_TIME, { due_at: null }, NONE],
    ['no time leaves a date alone', ON_A_DAY, { due_at: null }, ON_A_DAY],
    ['no date', AT_A_TIME, { due_date: null }, NONE],
    ['no date', ON_A_DAY, { due_date: null }, NONE],
    ['neither', AT_A_TIME, { due_at: null, due_date: null }, NONE],
    [
      'a zone keeps the instant and moves the day',
      AT_A_TIME,
      { time_zone: 'America/New_York' },
      { ...AT_A_TIME, dueDate: '2026-03-29', timeZone: 'America/New_York' },
    ],
    [
      'a zone leaves a date alone',
      ON_A_DAY,
      { time_zone: 'Pacific/Auckland' },
      { ...ON_A_DAY, timeZone: 'Pacific/Auckland' },
    ],
  ])('%s', (_, before, request, after) => {
    expect(decideDue(before, request)).toEqual(after)
  })

  it('refuses a date that is not the day of the time in the zone of the request', () => {
    const request = { due_at: at('2026-03-29T22:30:00Z'), due_date: '2026-03-30' }
    expect(decideDue(NONE, request)).toEqual(AT_A_TIME)
    expect(() => decideDue(NONE, { ...request, time_zone: 'UTC' })).toThrow(
      'must be the day of due_at in UTC, which is 2026-03-29',
    )
  })
})
