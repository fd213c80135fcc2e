import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import type { IdentityStore, SigningKey } from '../app/auth/ports.ts'
import type { Clock } from '../app/ports.ts'
import type { KeySet } from '../domain/auth/identity.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/durations.ts'

/** A key signs for this long, then the next process that looks makes its successor. */
const ROTATE_AFTER_MS = 90 * DAY_MS
/** How long a process goes by the keys it knows; so long may two replicas sign with different keys. */
const REFRESH_AFTER_MS = 10 * MINUTE_MS
/** A replaced key verifies this long: replicas sign with it for ten minutes more, and those tokens live for fifteen. */
const KEEP_REPLACED_MS = HOUR_MS
/** A token with an unknown key id makes us look for new keys, but forged ones not more often than this. */
const LOOK_AGAIN_AFTER_MS = 5_000

interface Ring {
  signing: { kid: string; key: CryptoKey }
  verifying: Map<string, CryptoKey>
  publicKeys: KeySet['keys']
  loadedAt: number
}

export interface KeyRing {
  signing(): Promise<Ring['signing']>
  /** The public key of this id, or undefined. */
  verifying(kid: string): Promise<CryptoKey | undefined>
  publicKeys(): Promise<KeySet['keys']>
  /** Makes a new key that signs from now on and resolves to its id. Other processes notice within ten minutes. */
  rotate(): Promise<string>
}

/**
 * Our RS256 keys. The first process makes the first key; of several at once, the database picks one key that all then
 * use. Imported keys are kept in memory, so that checking a token costs no query.
 */
export function createKeyRing({ store, clock }: { store: IdentityStore; clock: Clock }): KeyRing {
  let ring: Ring | undefined
  let loading: Promise<Ring> | undefined

  const add = async (generation: number, now: Date) =>
    store.addSigningKey(await generateKey(generation, now), new Date(now.getTime() - KEEP_REPLACED_MS))

  async function load(): Promise<Ring> {
    const now = clock.now()
    let keys = await store.signingKeys()
    const newest = keys[0]
    if (!newest || now.getTime() - newest.createdAt.getTime() > ROTATE_AFTER_MS) {
      await add((newest?.generation ?? 0) + 1, now)
      keys = await store.signingKeys()
    }
    return importKeys(keys, now)
  }

  // One load at a time, however many requests wait for it; a failed one leaves what was known before.
  function reload(): Promise<Ring> {
    loading ??= load()
      .then((loaded) => (ring = loaded))
      .finally(() => (loading = undefined))
    return loading
  }

  async function current(): Promise<Ring> {
    if (!ring) return reload()
    if (clock.now().getTime() - ring.loadedAt <= REFRESH_AFTER_MS) return ring
    const known = ring
    return reload().catch(() => known) // while the database is away, the known keys stay good
  }

  return {
    signing: async () => (await current()).signing,
    publicKeys: async () => (await current()).publicKeys,
    async verifying(kid) {
      const known = await current()
      const key = known.verifying.get(kid)
      if (key || clock.now().getTime() - known.loadedAt < LOOK_AGAIN_AFTER_MS) return key
      return (await reload()).verifying.get(kid)
    },
    async rotate() {
      const [newest] = await store.signingKeys()
      await add((newest?.generation ?? 0) + 1, clock.now())
      return (await reload()).signing.kid
    },
  }
}

async function generateKey(generation: number, createdAt: Date): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })
  const privateJwk = await exportJWK(privateKey)
  return { generation, kid: await calculateJwkThumbprint(privateJwk), privateJwk, createdAt }
}

async function importKeys(keys: readonly SigningKey[], now: Date): Promise<Ring> {
  const oldest = now.getTime() - KEEP_REPLACED_MS
  const usable = keys.filter((_, place) => (keys[place - 1]?.createdAt.getTime() ?? Infinity) > oldest)
  const publicKeys = usable.map(({ kid, privateJwk }) => {
    const { n, e } = privateJwk as { n: string; e: string }
    return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e } as const
  })
  const verifying = await Promise.all(publicKeys.map(async (jwk) => [jwk.kid, await importKey(jwk)] as const))
  const [newest] = usable
  const key = await importKey({ ...newest?.privateJwk, kty: 'RSA' })
  return {
    signing: { kid: newest?.kid ?? '', key },
    verifying: new Map(verifying),
    publicKeys,
    loadedAt: now.getTime(),
  }
}

export async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'RS256')
  if (key instanceof Uint8Array) throw new TypeError('a signing key is not a secret')
  return key
}
