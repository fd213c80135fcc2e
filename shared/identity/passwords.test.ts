import { describe, expect, it } from 'vitest'
import { createPasswords } from './passwords.ts'
import { systemIds } from '../kit/system.ts'

const CHEAP = { N: 16, r: 1, p: 1 }
const passwords = createPasswords(systemIds, CHEAP)
const visitor = { lane: 'unknown', client: '192.0.2.1' } as const
const hash = (password: string, by = passwords) => by.hash(password, visitor.client)
const isRight = (password: string, stored: string | null, by = passwords) =>
  by.withConcurrencyLimit(visitor, (check) => check(password, stored))

describe('createPasswords', () => {
  it('recognises the password that was hashed and no other', async () => {
    const stored = await hash('correct horse')
    expect(await isRight('correct horse', stored)).toBe(true)
    expect(await isRight('correct horsf', stored)).toBe(false)
    expect(await isRight('', stored)).toBe(false)
    expect(await isRight(stored, stored)).toBe(false)
  })

  it('knows which passwords are tried first, whatever their case', async () => {
    const tried = ['password', 'TrustNo1', '1QAZ2WSX', 'iloveyou1']
    expect(await Promise.all(tried.map(passwords.isCommon))).toEqual([true, true, true, true])
    const own = ['correct horse battery staple', 'passwort für daybook', '']
    expect(await Promise.all(own.map(passwords.isCommon))).toEqual([false, false, false])
  })

  it('salts: the same password never has the same hash', async () => {
    expect(await hash('same')).not.toBe(await hash('same'))
  })

  it('keeps recognising passwords hashed at another cost', async () => {
    const stored = await hash('from before', createPasswords(systemIds, { N: 64, r: 2, p: 2 }))
    expect(stored).toMatch(/^\$scrypt\$64,2,2\$/)
    expect(await isRight('from before', stored)).toBe(true)
  })

  it('costs as much as OWASP asks for unless told otherwise', async () => {
    expect(await hash('x', createPasswords(systemIds))).toMatch(/^\$scrypt\$32768,8,3\$/)
  })

  // Without the work for nobody the second figure would be near zero.
  it('takes as long for an account that does not exist', async () => {
    const slow = createPasswords(systemIds, { N: 2 ** 14, r: 8, p: 1 })
    const stored = await hash('x', slow)
    const timed = async (against: string | null) => {
      const start = performance.now()
      expect(await isRight('y', against, slow)).toBe(false)
      return performance.now() - start
    }
    const fastest = async (against: string | null) =>
      Math.min(await timed(against), await timed(against), await timed(against))
    const known = await fastest(stored)
    expect(await fastest(null)).toBeGreaterThan(known / 4)
  })

  it('lets ten of one client be under way at once, and any number of clients', async () => {
    const gate = Promise.withResolvers<void>()
    const visit = (client: string) => passwords.limitPerClient(client, () => gate.promise)
    const visits = Array.from({ length: 10 }, () => visit('one'))
    await expect(visit('one')).rejects.toMatchObject({ code: 'auth.rate_limited', retryAfterSeconds: 5 })
    visits.push(visit('two'))
    gate.resolve()
    await Promise.all(visits)
    const failures = Array.from({ length: 10 }, () =>
      passwords.limitPerClient('one', () => Promise.reject(new Error('no'))),
    )
    await Promise.allSettled(failures)
    expect(await passwords.limitPerClient('one', async () => 'served')).toBe('served')
  })
})
