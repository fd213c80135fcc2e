import { scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Passwords } from '../app/auth/ports.ts'
import type { Ids } from '../app/ports.ts'
import { DomainError } from '../domain/errors.ts'
import { isCommon } from './common-passwords.ts'
import { createHashTurns } from './hash-turns.ts'

export interface ScryptCost {
  /** Work and memory: 128 · N · r bytes at a time, p times in turn (RFC 7914 §2). */
  N: number
  r: number
  p: number
}

/** One of OWASP's equal settings (Password Storage Cheat Sheet): 32 MiB, some 200 ms of one core. */
const COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 }
const HASH_BYTES = 32
const SALT_BYTES = 16
/**
 * Of the four threads of Node's pool, which also checks signatures and reads files, two stay free during a flood of
 * sign-ins; of the cores, one stays with the event loop.
 */
const MAX_AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1))
const MAX_WAITING = 100
/** Of one client, waiting or not. */
const MAX_OF_CLIENT = 10

/** Password hashing with scrypt, so many at a time. The cost is stored with each hash, so it can be raised later. */
export function createPasswords(ids: Ids, cost: ScryptCost = COST, atOnce = MAX_AT_ONCE): Passwords {
  const inTurn = createHashTurns({ atOnce, maxWaiting: MAX_WAITING })
  return {
    limitPerClient: createClientLimit(MAX_OF_CLIENT),
    hash: (password, client) =>
      inTurn({ lane: 'unknown', client }, async () => {
        const salt = Buffer.from(ids.hex(SALT_BYTES), 'hex')
        const key = await derive(password, salt, cost)
        return `$scrypt$${cost.N},${cost.r},${cost.p}$${salt.toString('base64')}$${key.toString('base64')}`
      }),
    isCommon,
    withConcurrencyLimit: (visitor, work) => inTurn(visitor, () => work(isRight)),
  }

  async function isRight(password: string, stored: string | null): Promise<boolean> {
    if (stored === null) {
      await derive(password, Buffer.alloc(SALT_BYTES), cost)
      return false
    }
    const { salt, key, ...storedCost } = parseHash(stored)
    return timingSafeEqual(await derive(password, salt, storedCost), key)
  }
}

function parseHash(stored: string): ScryptCost & { salt: Buffer; key: Buffer } {
  const match = /^\$scrypt\$(\d+),(\d+),(\d+)\$([\w+/=]+)\$([\w+/=]+)$/.exec(stored)
  if (!match) throw new Error('a stored password hash has an unknown form')
  const [, N, r, p, salt = '', key = ''] = match
  return {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  }
}

function derive(password: string, salt: Buffer, { N, r, p }: ScryptCost): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** Runs at most `most` of each client at a time and refuses more of it: `auth.rate_limited`. */
function createClientLimit(most: number) {
  const underWay = new Map<string, number>()
  return async function limitPerClient<T>(client: string, work: () => Promise<T>): Promise<T> {
    const others = underWay.get(client) ?? 0
    if (others >= most) {
      throw new DomainError('auth.rate_limited', 'Too many attempts to sign in at once.', {
        retryAfterSeconds: 5,
      })
    }
    underWay.set(client, others + 1)
    try {
      return await work()
    } finally {
      const left = (underWay.get(client) ?? 1) - 1
      if (left > 0) underWay.set(client, left)
      else underWay.delete(client)
    }
  }
}
