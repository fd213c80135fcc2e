import webPush from 'web-push'
import type { PushKeys, PushKeyStore, VapidKeys } from '../app/notifications/ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { DomainError } from '../domain/errors.ts'
import { ChannelError } from './answered.ts'

const SECRET_STORE = 'secretstore'

export interface PushKeysOptions {
  /** `secretstore`: the secrets vapidpublickey and vapidprivatekey. `database`: made once, by whoever comes first. */
  from: 'database' | 'secretstore'
  store: PushKeyStore
  secrets: Pick<DaprClient['secrets'], 'get'>
  clock: { now(): Date }
}

/**
 * Our VAPID keys. A browser's subscription is bound to the public key (RFC 8292 §4.2), so there is no falling back from
 * one place to the other: other keys would end every subscription.
 */
export function createPushKeys({ from, store, secrets, clock }: PushKeysOptions): PushKeys {
  let known: VapidKeys | undefined

  const secret = async (name: string) => {
    const { [name]: value = '' } = await secrets.get(SECRET_STORE, name)
    if (value === '') throw new ChannelError(`the secret ${name} is not set`)
    return value
  }
  const fromSecrets = async (): Promise<VapidKeys> => {
    try {
      const [publicKey, privateKey] = await Promise.all([secret('vapidpublickey'), secret('vapidprivatekey')])
      return { publicKey, privateKey }
    } catch (cause) {
      const message = 'The push keys are temporarily unavailable; try again.'
      throw new DomainError('service.unavailable', message, { retryAfterSeconds: 5, cause })
    }
  }
  const fromDatabase = async () =>
    (await store.get()) ?? (await store.add(webPush.generateVAPIDKeys(), clock.now()))

  return {
    get: async () => (known ??= await (from === 'secretstore' ? fromSecrets() : fromDatabase())),
  }
}
