import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { IdentityStore, SignedLinks } from '../app/auth/ports.ts'
import type { Clock, Ids } from '../app/ports.ts'
import { RESET_WITHIN_MS } from '../domain/auth/account.ts'
import { CodeClaims } from '../domain/auth/oauth.ts'
import { NOTIFICATION_TYPES } from '../domain/notifications/notification.ts'

const KEY_BYTES = 32
/** 128 bits, which nobody guesses. */
const SHORT_BYTES = 16

const Confirmation = z.tuple([z.uuid(), z.string().regex(/^[0-9a-z]{1,12}$/), z.string()])
const Unsubscription = z.tuple([z.uuid(), z.enum(NOTIFICATION_TYPES)])

/** Tokens `claim.claim.signature`, signed with a key in the database, which is made by whoever comes first. */
export function createSignedLinks({
  store,
  ids,
  clock,
}: {
  store: Pick<IdentityStore, 'linkKey' | 'addReset'>
  ids: Ids
  clock: Clock
}): SignedLinks {
  let key: string | undefined

  async function signature(purpose: string, claims: readonly string[]): Promise<string> {
    key ??= await store.linkKey(ids.hex(KEY_BYTES), clock.now())
    return short(
      createHmac('sha256', Buffer.from(key, 'hex'))
        .update([purpose, ...claims].join('\n'))
        .digest(),
    )
  }
  const sign = async (purpose: string, claims: readonly string[]) =>
    [...claims, await signature(purpose, claims)].join('.')

  async function read<T>(purpose: string, token: string, form: z.ZodType<T>): Promise<T | null> {
    const claims = token.split('.')
    const shown = Buffer.from(claims.pop() ?? '')
    const parsed = form.safeParse(claims)
    if (!parsed.success) return null
    const expected = Buffer.from(await signature(purpose, claims))
    return shown.length === expected.length && timingSafeEqual(shown, expected) ? parsed.data : null
  }

  return {
    confirmation: (userId, address, until) =>
      sign('confirm', [userId, until.getTime().toString(36), digestOf(address)]),
    async readConfirmation(token) {
      const claims = await read('confirm', token, Confirmation)
      if (!claims) return null
      const [userId, until, digest] = claims
      return { userId, until: new Date(parseInt(until, 36)), isOf: (address) => digestOf(address) === digest }
    },
    async passwordReset({ userId, address, askedAt }) {
      const token = `dbp_${ids.hex(KEY_BYTES)}`
      const digest = createHash('sha256').update(token).digest('base64url')
      const expiresAt = new Date(clock.now().getTime() + RESET_WITHIN_MS)
      const isKept = await store.addReset(digest, { userId, email: address, askedAt, expiresAt })
      return isKept ? token : null
    },
    authorizationCode: (claims) =>
      sign('authorize', [Buffer.from(JSON.stringify(claims)).toString('base64url')]),
    async readAuthorizationCode(code) {
      const claims = await read('authorize', code, z.tuple([z.string()]))
      return claims && CodeClaims.parse(JSON.parse(Buffer.from(claims[0], 'base64url').toString()))
    },
    unsubscription: (userId, type) => sign('unsubscribe', [userId, type]),
    async readUnsubscription(token) {
      const claims = await read('unsubscribe', token, Unsubscription)
      return claims && { userId: claims[0], type: claims[1] }
    },
  }
}

const short = (bytes: Buffer): string => bytes.subarray(0, SHORT_BYTES).toString('base64url')
const digestOf = (address: string): string => short(createHash('sha256').update(address).digest())
