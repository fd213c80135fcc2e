import { describe, expect, it } from 'vitest'
import { AccountPatch, editedUser } from './account.ts'
import { NEW_USER, type User } from './identity.ts'

const NOW = new Date('2026-11-22T10:00:00.000Z')
const user: User = {
  id: '0199d0a0-0000-7000-8000-000000000001',
  email: 'ada@example.org',
  timeZone: 'Europe/Berlin',
  createdAt: NOW,
  emailConfirmedAt: NOW,
  confirmationSentAt: NOW,
  ...NEW_USER,
}
const nameOf = (value: unknown) => AccountPatch.safeParse({ display_name: value }).data?.display_name

describe('a display name', () => {
  it.each([
    ['  Ada  ', 'Ada'],
    ['Ada 👩‍💻', 'Ada 👩‍💻'],
    ['עדה', 'עדה'],
    ['क्षि', 'क्षि'],
    ['x'.repeat(100), 'x'.repeat(100)],
    [null, null],
  ])('%j is taken as %j', (given, taken) => {
    expect(nameOf(given)).toBe(taken)
  })

  it.each([
    '',
    '   ',
    '\u200b\u200d',
    '\u3164\u115f',
    '\u2800',
    '\u0301',
    '\ufe0f',
    'Ada\u0000',
    'Ada\nLovelace',
    'Ada\u2028Lovelace',
    'Ada\u202egro',
    'Ada\u2066',
    'Ada\ud800',
    'x'.repeat(101),
    7,
  ])('%j is refused', (given) => {
    expect(nameOf(given)).toBeUndefined()
  })
})

describe('a patch of the account', () => {
  it('that changes nothing leaves the user as it is', () => {
    for (const patch of [
      {},
      { time_zone: 'Europe/Berlin' },
      { display_name: null },
      { email: 'ada@example.org' },
    ])
      expect(editedUser(user, patch, NOW)).toBe(user)
  })

  it('with another address keeps the present one until that is confirmed', () => {
    const after = editedUser(user, { email: 'new@example.org' }, NOW)
    expect(after).toEqual({ ...user, newEmail: 'new@example.org', newEmailAt: NOW, version: 2 })
    const within = new Date(NOW.getTime() + 60 * 60 * 1000 - 1)
    expect(editedUser(after, { email: 'new@example.org' }, within)).toBe(after)
    const later = new Date(NOW.getTime() + 60 * 60 * 1000)
    expect(editedUser(after, { email: 'new@example.org' }, later)).toMatchObject({ newEmailAt: later })
    expect(editedUser(after, { email: 'ada@example.org' }, later)).toEqual({ ...user, version: 3 })
  })
})
