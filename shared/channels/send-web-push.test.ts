import { importJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import webPush from 'web-push'
import { systemClock } from '../kit/system.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { createSenders } from './senders.ts'
import { aMessage, TITLE } from '../../testing/builders/a-notification.ts'
import { subscribedBrowser } from '../../testing/worlds/browser.ts'
import { outsideService } from '../../testing/worlds/outside.ts'
import { testLinks } from '../../testing/builders/links.ts'

const service = await outsideService()
const vapid = webPush.generateVAPIDKeys()
const browser = subscribedBrowser()
const never = async () => Promise.reject(new Error('not by this way'))

const sender = (publicUrl?: string) =>
  createSenders({
    dapr: { invokeBinding: never, secrets: { get: never } },
    outbound: createSafeFetch({ allow: ['127.0.0.1'], deadlineMs: 500 }),
    pushKeys: { get: async () => vapid },
    clock: systemClock,
    links: testLinks,
    settings: {
      mailFrom: 'Daybook <daybook@example.org>',
      publicUrl: () => publicUrl,
      fcmProject: undefined,
    },
  }).web_push
const destination = (endpoint = `${service.url}/send/of-ada`) =>
  ({ channel: 'web_push', subscriptionId: 's', endpoint, keys: browser.keys }) as const

/** The public key of a VAPID pair, an uncompressed point. */
function keyOf(publicKey: string) {
  const point = Buffer.from(publicKey, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'))
  return importJWK({ kty: 'EC', crv: 'P-256', x: x!, y: y! }, 'ES256')
}

describe('web push', () => {
  it('brings the browser what happened, readable by it alone, under the topic of the delivery', async () => {
    service.answers({ status: 201 })
    const message = aMessage({ late: true })
    expect(await sender()(message, destination())).toEqual({ outcome: 'delivered' })
    const { method, path, headers, body } = service.received.at(-1)!
    expect([method, path]).toEqual(['POST', '/send/of-ada'])
    expect(headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      ttl: '86400',
      urgency: 'high',
      topic: message.id.replaceAll('-', ''),
    })
    expect(body.toString('latin1')).not.toContain(TITLE)
    const { id, taskId } = message.notification
    expect(browser.read(body)).toEqual({
      id,
      type: 'reminder',
      title: TITLE,
      body: 'Due at nine.',
      task_id: taskId,
      late: true,
    })
  })

  it('signs with our key for this push service only', async () => {
    await sender()(aMessage(), destination())
    const { authorization = '' } = service.received.at(-1)!.headers
    const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization) ?? []
    expect(key).toBe(vapid.publicKey)
    const { payload } = await jwtVerify(token!, await keyOf(vapid.publicKey), { audience: service.url })
    expect(payload.sub).toBe('mailto:daybook@example.org')
    expect(payload.exp! - Math.floor(systemClock.now().getTime() / 1000)).toBeLessThanOrEqual(24 * 60 * 60)
  })

  it('names our address on the web where we have one', async () => {
    await sender('https://daybook.example.org')(aMessage(), destination())
    const [, token] = /t=([^,]+)/.exec(service.received.at(-1)!.headers.authorization ?? '') ?? []
    const { payload } = await jwtVerify(token!, await keyOf(vapid.publicKey))
    expect(payload.sub).toBe('https://daybook.example.org')
  })

  it('says less at length, so that a push service takes it', async () => {
    const long = '🌱'.repeat(3000)
    expect(await sender()(aMessage({ title: long, body: long }), destination())).toEqual({
      outcome: 'delivered',
    })
    const { body } = service.received.at(-1)!
    expect(body.length).toBeLessThanOrEqual(4096)
    expect(browser.read(body)).toMatchObject({ body: `${'🌱'.repeat(254)}…` })
  })

  it.each<[number, string, object?]>([
    [404, 'gone'],
    [410, 'gone'],
    [400, 'refused'],
    [413, 'refused'],
    [403, 'failed'],
    [429, 'failed', { afterMs: 90_000 }],
    [500, 'failed'],
    [302, 'failed'],
  ])('takes the answer %i for what it means: %s', async (status, outcome, more = {}) => {
    const headers = { location: 'http://127.0.0.1/', ...('afterMs' in more && { 'retry-after': '90' }) }
    service.answers({ status, headers })
    const result = { outcome, reason: `the push service answered ${status}`, ...more }
    expect(await sender()(aMessage(), destination())).toEqual(result)
  })

  it('fails, and tells nothing, when the push service is away or does not answer', async () => {
    expect(await sender()(aMessage(), destination('http://127.0.0.1:1/send/of-ada'))).toEqual({
      outcome: 'failed',
      reason: 'the other side cannot be reached',
    })
    service.answers(null)
    expect(await sender()(aMessage(), destination())).toEqual({
      outcome: 'failed',
      reason: 'no answer in time',
    })
  })

  it('refuses an endpoint inside our network', async () => {
    expect(await sender()(aMessage(), destination('https://10.0.0.1/send/of-ada'))).toEqual({
      outcome: 'refused',
      reason: 'the address must lead to a public address',
    })
  })
})
