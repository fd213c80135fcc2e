import { describe, expect, it } from 'vitest'
import { isOwnAddress } from './own-address.ts'

const EMAIL = 'ada.lovelace+daybook@example.co.uk'

describe('a password', () => {
  it.each([
    EMAIL,
    'Ada.Lovelace+Daybook@Example.co.uk',
    'ada.lovelace+daybook',
    'ada.lovelace',
    'AdaLovelace',
    'ada_lovelace',
    'adalovelace1815',
    'Ada-Lovelace!',
    'example.co.uk',
    'example.co',
  ])('%s is made of the address', (password) => {
    expect(isOwnAddress(password, EMAIL)).toBe(true)
  })

  it.each([
    'correct horse',
    'ada lovelace wrote the first program',
    'lovelace',
    'adalovelace18151127',
    '!!!!!!!!',
  ])('%s is not', (password) => {
    expect(isOwnAddress(password, EMAIL)).toBe(false)
  })

  it('of a local part of digits is compared with its digits', () => {
    expect(isOwnAddress('12345678', '12345678@example.org')).toBe(true)
    expect(isOwnAddress('12345679', '12345678@example.org')).toBe(false)
    expect(isOwnAddress('ada198412', 'ada1984@example.org')).toBe(true)
  })
})
