import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, exportJWK, jwtVerify } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createGoogleToken } from './google-token.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { createSenders } from './senders.ts'
import { aMessage, TITLE } from '../../testing/builders/a-notification.ts'
import { outsideService } from '../../testing/worlds/outside.ts'
import { sidecarFor } from '../../testing/worlds/send-here.ts'
import { testLinks } from '../../testing/builders/links.ts'

const TOKEN = 'token-of-the-phone-of-ada'
const google = await outsideService()
const fcm = await outsideService()
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const account = {
  client_email: 'daybook@project.iam.gserviceaccount.com',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  token_uri: `${google.url}/token`,
}
const dapr = await sidecarFor({
  env: { DAYBOOK_SECRET_fcmserviceaccount: JSON.stringify(account) },
  fcm: `${fcm.url}/v1/projects`,
})
let now = new Date('2026-03-02T12:00:00.000Z')
let issued = 0

const create = (fcmProject: string | undefined, sidecar = dapr) =>
  createSenders({
    dapr: sidecar,
    outbound: createSafeFetch({ allow: ['127.0.0.1'] }),
    pushKeys: { get: async () => Promise.reject(new Error('not by this way')) },
    clock: { now: () => now },
    links: testLinks,
    settings: { mailFrom: 'daybook@example.org', publicUrl: () => undefined, fcmProject },
  }).mobile_push
const destination = { channel: 'mobile_push', subscriptionId: 's', token: TOKEN } as const

beforeEach(() => {
  google.received.length = 0
  fcm.received.length = 0
  google.answers(() => {
    issued += 1
    return { status: 200, body: JSON.stringify({ access_token: `access-${issued}`, expires_in: 3600 }) }
  })
  fcm.answers({ status: 200, body: '{"name":"projects/p/messages/1"}' })
})

const refusal = (errorCode: string) =>
  JSON.stringify({ error: { code: 404, status: 'NOT_FOUND', details: [{ errorCode }] } })

describe('mobile push', () => {
  it('is refused where it is not set up', async () => {
    expect(await create(undefined)(aMessage(), destination)).toEqual({
      outcome: 'refused',
      reason: 'mobile push is not configured',
    })
    expect(fcm.received).toEqual([])
  })

  it('brings the phone what happened, by FCM HTTP v1, one message per delivery', async () => {
    const message = aMessage()
    expect(await create('my-project')(message, destination)).toEqual({ outcome: 'delivered' })
    const [request] = fcm.received
    expect(request).toMatchObject({ method: 'POST', path: '/v1/projects/my-project/messages:send' })
    expect(request!.headers.authorization).toBe(`Bearer access-${issued}`)
    const { id, taskId } = message.notification
    expect(JSON.parse(request!.body.toString())).toEqual({
      message: {
        token: TOKEN,
        notification: { title: TITLE, body: 'Due at nine.' },
        data: { id, type: 'reminder', task_id: taskId, late: 'false' },
        android: {
          collapse_key: message.id,
          ttl: '86400s',
          priority: 'HIGH',
          notification: { tag: message.id },
        },
        apns: { headers: { 'apns-collapse-id': message.id } },
      },
    })
  })

  it('asks Google for a token with a signed assertion, and again only when the token ends or is refused', async () => {
    const send = create('my-project')
    await Promise.all([send(aMessage(), destination), send(aMessage(), destination)])
    expect(google.received).toHaveLength(1)
    const form = new URLSearchParams(google.received[0]!.body.toString())
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const keys = createLocalJWKSet({ keys: [await exportJWK(publicKey)] })
    const { payload } = await jwtVerify(form.get('assertion')!, keys, {
      issuer: account.client_email,
      audience: account.token_uri,
      currentDate: now,
    })
    expect(payload.scope).toBe('https://www.googleapis.com/auth/firebase.messaging')

    now = new Date(now.getTime() + 54 * 60_000)
    await send(aMessage(), destination)
    expect(google.received).toHaveLength(1)
    now = new Date(now.getTime() + 2 * 60_000)
    await send(aMessage(), destination)
    expect(google.received).toHaveLength(2)

    fcm.answers({ status: 401 })
    expect(await send(aMessage(), destination)).toEqual({ outcome: 'failed', reason: 'FCM answered 401' })
    fcm.answers({ status: 200 })
    expect(await send(aMessage(), destination)).toEqual({ outcome: 'delivered' })
    expect(google.received).toHaveLength(3)
  })

  it('keeps a new token when a try that began with the old one is refused', async () => {
    const token = createGoogleToken(dapr.secrets, createSafeFetch({ allow: ['127.0.0.1'] }), {
      now: () => now,
    })
    const old = await token.get()
    token.forget(old)
    const fresh = await token.get()
    token.forget(old)
    expect(await token.get()).toBe(fresh)
    expect([fresh === old, google.received.length]).toEqual([false, 2])
  })

  it.each([
    ['a phone that is gone', { status: 404, body: refusal('UNREGISTERED') }, { outcome: 'gone' }],
    ['a project that does not exist', { status: 404, body: '{}' }, { outcome: 'failed' }],
    ['a page instead of JSON', { status: 404, body: '<html>' }, { outcome: 'failed' }],
    ['a wrong argument', { status: 400, body: refusal('INVALID_ARGUMENT') }, { outcome: 'refused' }],
    [
      ...(['too many requests', { status: 429, headers: { 'retry-after': '60' } }] as const),
      { outcome: 'failed', afterMs: 60_000 },
    ],
    ['an outage', { status: 503 }, { outcome: 'failed' }],
  ])('takes an answer for what it means: %s', async (_, reply, result) => {
    fcm.answers(reply)
    const reason = `FCM answered ${reply.status}`
    expect(await create('my-project')(aMessage(), destination)).toEqual({ ...result, reason })
  })

  it('fails, and tells no secret, when Google or the secret store does not help', async () => {
    google.answers({ status: 400, body: '{"error":"invalid_grant"}' })
    expect(await create('my-project')(aMessage(), destination)).toEqual({
      outcome: 'failed',
      reason: 'the token endpoint of FCM answered 400',
    })
    const without = await sidecarFor({ env: { DAYBOOK_SECRET_fcmserviceaccount: '{"private_key":"x"}' } })
    expect(await create('my-project', without)(aMessage(), destination)).toEqual({
      outcome: 'failed',
      reason: 'the secret fcmserviceaccount is not the key file of a service account',
    })
  })
})
