import { describe, expect, it } from 'vitest'
import { createPasswords } from './passwords.ts'
import { systemIds } from './system.ts'

const CHEAP = { N: 16, r: 1, p: 1 }
const passwords = createPasswords(systemIds, CHEAP)
const isRight = (password: string, hash: string | null, by = passwords) =>
  by.inTurn((check) => check(password, hash))

describe('createPasswords', () => {
  it('recognises the password that was hashed and no other', async () => {
    const hash = await passwords.hash('correct horse')
    expect(await isRight('correct horse', hash)).toBe(true)
    expect(await isRight('correct horsf', hash)).toBe(false)
    expect(await isRight('', hash)).toBe(false)
    expect(await isRight(hash, hash)).toBe(false)
  })

  it('salts: the same password never has the same hash', async () => {
    expect(await passwords.hash('same')).not.toBe(await passwords.hash('same'))
  })

  it('keeps recognising passwords hashed at another cost', async () => {
    const hash = await createPasswords(systemIds, { N: 64, r: 2, p: 2 }).hash('from before')
    expect(hash).toMatch(/^\$scrypt\$64,2,2\$/)
    expect(await isRight('from before', hash)).toBe(true)
  })

  it('costs as much as OWASP asks for unless told otherwise', async () => {
    expect(await createPasswords(systemIds).hash('x')).toMatch(/^\$scrypt\$32768,8,3\$/)
  })

  // Without the work for nobody the second figure would be near zero.
  it('takes as long for an account that does not exist', async () => {
    const slow = createPasswords(systemIds, { N: 2 ** 14, r: 8, p: 1 })
    const hash = await slow.hash('x')
    const timed = async (stored: string | null) => {
      const start = performance.now()
      expect(await isRight('y', stored, slow)).toBe(false)
      return performance.now() - start
    }
    const fastest = async (stored: string | null) =>
      Math.min(await timed(stored), await timed(stored), await timed(stored))
    const known = await fastest(hash)
    expect(await fastest(null)).toBeGreaterThan(known / 4)
  })

  it('works on two at a time, in the order they came, and refuses when a hundred wait', async () => {
    const crowded = createPasswords(systemIds, CHEAP)
    const gate = Promise.withResolvers<void>()
    const begun: number[] = []
    let inside = 0
    let most = 0
    const visit = (place: number) =>
      crowded.inTurn(async () => {
        begun.push(place)
        most = Math.max(most, ++inside)
        await gate.promise
        inside--
      })
    const visits = Array.from({ length: 102 }, (_, place) => visit(place))
    await expect(visit(102)).rejects.toMatchObject({ code: 'service.unavailable', retryAfterSeconds: 10 })
    gate.resolve()
    await Promise.all(visits)
    expect(most).toBe(2)
    expect(begun).toEqual(Array.from({ length: 102 }, (_, place) => place))
  })

  it('lets ten of one client be under way at once, and any number of clients', async () => {
    const gate = Promise.withResolvers<void>()
    const visit = (client: string) => passwords.amongFew(client, () => gate.promise)
    const visits = Array.from({ length: 10 }, () => visit('one'))
    await expect(visit('one')).rejects.toMatchObject({ code: 'auth.rate_limited', retryAfterSeconds: 5 })
    visits.push(visit('two'))
    gate.resolve()
    await Promise.all(visits)
    const failures = Array.from({ length: 10 }, () =>
      passwords.amongFew('one', () => Promise.reject(new Error('no'))),
    )
    await Promise.allSettled(failures)
    expect(await passwords.amongFew('one', async () => 'served')).toBe('served')
  })

  it('gives its turn back when the work fails', async () => {
    const crowded = createPasswords(systemIds, CHEAP)
    const failures = Array.from({ length: 10 }, () => crowded.inTurn(() => Promise.reject(new Error('no'))))
    expect((await Promise.allSettled(failures)).every(({ status }) => status === 'rejected')).toBe(true)
    expect(await crowded.inTurn(async () => 'served')).toBe('served')
  })
})
