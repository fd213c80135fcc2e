import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { answerToWebhook } from '../../testing/worlds/answer-webhook.ts'
import { systemClock } from '../kit/system.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { createSenders } from './senders.ts'
import { aMessage } from '../../testing/builders/a-notification.ts'
import { outsideService } from '../../testing/worlds/outside.ts'
import { testLinks } from '../../testing/builders/links.ts'

const hook = await outsideService()
const KEY = Buffer.from('a key of at least 24 bytes')
const never = async () => Promise.reject(new Error('not by this way'))
let now = new Date('2026-03-02T12:00:00.900Z')

const { webhook } = createSenders({
  dapr: { invokeBinding: never, secrets: { get: never } },
  outbound: createSafeFetch({ allow: ['127.0.0.1'], deadlineMs: 500 }),
  pushKeys: { get: never },
  clock: { now: () => now },
  links: testLinks,
  settings: { mailFrom: 'daybook@example.org', publicUrl: () => undefined, fcmProject: undefined },
})
const destination = (url = `${hook.url}/hook/of-ada`) =>
  ({ channel: 'webhook', url, secret: `whsec_${KEY.toString('base64')}` }) as const

describe('a webhook', () => {
  it('gets the notification, signed as Standard Webhooks says', async () => {
    const message = aMessage()
    expect(await webhook(message, destination())).toEqual({ outcome: 'delivered' })
    const { method, path, headers, body } = hook.received.at(-1)!
    expect([method, path, headers['content-type']]).toEqual(['POST', '/hook/of-ada', 'application/json'])
    expect(headers).toMatchObject({ 'webhook-id': message.id, 'webhook-timestamp': '1772452800' })
    const signed = createHmac('sha256', KEY).update(`${message.id}.1772452800.`).update(body)
    expect(headers['webhook-signature']).toBe(`v1,${signed.digest('base64')}`)
    expect(JSON.parse(body.toString())).toEqual({
      type: 'notification.reminder',
      timestamp: '2026-03-02T12:00:00.000Z',
      data: expect.objectContaining({ id: message.notification.id, title: message.notification.title }),
    })
  })

  it('is verified by the library of Standard Webhooks, which takes it neither changed nor with another key', async () => {
    now = systemClock.now() // the library takes none that is older than five minutes
    const { secret } = destination()
    for (const message of [aMessage(), aMessage({ title: 'Wäsche 🧺' }), first()]) {
      await webhook(message, destination())
      const { headers, body } = hook.received.at(-1)!
      const text = body.toString()
      const verify = (key: string, content: string) =>
        new Webhook(key).verify(content, headers as Record<string, string>)
      expect(verify(secret, text)).toEqual(JSON.parse(text))
      expect(() => verify(secret, `${text} `)).toThrow('No matching signature')
      expect(() => verify(`whsec_${Buffer.from('another key').toString('base64')}`, text)).toThrow(
        'No matching signature',
      )
    }
  })

  const first = () =>
    aMessage({ type: 'confirmation', title: 'Daybook notifications are enabled', body: '', taskId: null })

  it('is asked by a signed message that says nothing of anybody first, and answers its challenge', async () => {
    const message = first()
    hook.answers(({ body }) => ({ status: 200, body: `${answerToWebhook(body.toString())}\n` }))
    expect(await webhook(message, destination())).toEqual({ outcome: 'delivered' })
    expect(await webhook(message, destination())).toEqual({ outcome: 'delivered' })
    const { headers, body } = hook.received.at(-1)!
    expect(JSON.parse(body.toString())).toMatchObject({
      type: 'notification.confirmation',
      data: { body: '', challenge: expect.stringMatching(/^[\w-]{43}$/) as string },
    })
    const content = `${message.id}.${String(headers['webhook-timestamp'])}.`
    const signed = createHmac('sha256', KEY).update(content).update(body)
    expect(headers['webhook-signature']).toBe(`v1,${signed.digest('base64')}`)
  })

  it.each([
    ['nothing', () => ''],
    ['a page', () => '<!doctype html><title>Welcome</title>'],
    ['what it was sent', (body: string) => body],
  ])('that answers a first message with %s is none', async (_, answer) => {
    hook.answers(({ body }) => ({ status: 200, body: answer(body.toString()) }))
    const refused = { outcome: 'refused', reason: 'the webhook did not answer the challenge' }
    expect(await webhook(first(), destination())).toEqual(refused)
  })

  it('gets the same id and the same body when it is tried again later', async () => {
    const message = aMessage()
    await webhook(message, destination())
    now = new Date(now.getTime() + 30_000)
    await webhook(message, destination())
    const [first, second] = hook.received.slice(-2)
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
    expect(second!.body).toEqual(first!.body)
    expect(second!.headers['webhook-timestamp']).not.toBe(first!.headers['webhook-timestamp'])
  })

  it.each<[number, object, object?]>([
    [404, {}],
    [400, {}],
    [503, { 'retry-after': '120' }, { afterMs: 120_000 }],
    [503, { 'retry-after': '999999' }, { afterMs: 3_600_000 }],
    [503, { 'retry-after': 'soon' }],
    [301, { location: 'https://example.org' }],
    [410, {}, { outcome: 'refused', reason: 'the webhook answered 410, gone' }],
  ])('answering %i %o is taken for what it means', async (status, headers, more = {}) => {
    hook.answers({ status, headers: headers as Record<string, string> })
    const failed = { outcome: 'failed', reason: `the webhook answered ${status}` }
    expect(await webhook(aMessage(), destination())).toEqual({ ...failed, ...more })
  })

  it('may name a date after which to come back', async () => {
    const inOneMinute = new Date(now.getTime() + 60_000).toUTCString()
    hook.answers({ status: 429, headers: { 'retry-after': inOneMinute } })
    const result = await webhook(aMessage(), destination())
    expect(result).toMatchObject({ outcome: 'failed' })
    expect('afterMs' in result && result.afterMs).toBeGreaterThan(58_000)
  })

  it('inside our network is refused', async () => {
    expect(await webhook(aMessage(), destination('https://192.168.0.1/hook/of-ada'))).toEqual({
      outcome: 'refused',
      reason: 'the address must lead to a public address',
    })
  })
})
