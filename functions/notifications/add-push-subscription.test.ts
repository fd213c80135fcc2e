import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import addPushSubscription from './add-push-subscription.ts'
import { aBrowser, added, listed } from '../../testing/worlds/push-service.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'

const { deps, sql } = await testDaybook()
const newUser = () => systemIds.uuid()
const post = (userId: string, json: unknown) => ask(addPushSubscription, deps, userId, { json })

describe('POST /api/notifications/push-subscriptions', () => {
  it('keeps a browser and answers neither its endpoint nor its keys', async () => {
    const [user, browser] = [newUser(), aBrowser('of-ada')]
    const answer = await post(user, browser)
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      id: expect.any(String) as string,
      channel: 'web_push',
      endpoint_host: 'push.example.org',
      created_at: '2026-03-02T12:00:00.000Z',
      confirmed_at: null,
    })
    expect(await listed(deps, user)).toEqual([answer.body])
    expect(await deps.subscriptions.list(user)).toMatchObject([
      { endpoint: browser.endpoint, keys: browser.keys },
    ])
  })

  it('keeps an endpoint as it is sent, so that two spellings are one device', async () => {
    const [user, browser] = [newUser(), aBrowser()]
    const first = await added(deps, user, browser)
    const spelt = browser.endpoint.replace('https://push', 'HTTPS://PUSH').replace('.org/', '.org:443/./')
    expect(await added(deps, user, { ...browser, endpoint: `${spelt}#x` })).toEqual(first)
    expect(await deps.subscriptions.list(user)).toMatchObject([{ endpoint: browser.endpoint }])
  })

  it('sends a browser a first message until it has taken one, and a phone none', async () => {
    const [user, browser] = [newUser(), aBrowser()]
    const firsts = () => sql`select channel, target from deliveries where user_id = ${user} order by id`
    const { id } = await added(deps, user, browser)
    const first = { channel: 'web_push', target: id }
    expect(await firsts()).toEqual([first])
    expect((await added(deps, user, { fcm_token: `token:${user}` })).confirmed_at).not.toBeNull()
    await added(deps, user, browser)
    expect(await firsts()).toEqual([first, first])
    await sql`update push_subscriptions set confirmed_at = created_at where id = ${id}`
    expect((await added(deps, user, browser)).confirmed_at).not.toBeNull()
    expect(await firsts()).toHaveLength(2)
    for (let nth = 0; nth < 9; nth += 1) {
      const one = await added(deps, user, aBrowser())
      await deps.subscriptions.remove(user, one.id)
    }
    expect(await firsts()).toHaveLength(10)
  })

  it('keeps a phone by its registration token', async () => {
    const user = newUser()
    const phone = await added(deps, user, { fcm_token: `token:${user}` })
    expect(phone).toMatchObject({ channel: 'mobile_push', endpoint_host: null })
    expect(await deps.subscriptions.list(user)).toMatchObject([{ endpoint: `token:${user}`, keys: null }])
  })

  it.each([
    ['endpoint', 'web_push', aBrowser()],
    ['fcm_token', 'mobile_push', { fcm_token: 'token:of-nobody-12345678' }],
  ])('refuses an %s while %s is not configured', async (path, channel, json) => {
    const settings = { ...deps.settings, disabledChannels: { [channel]: 'is not configured' } }
    const answer = await ask(addPushSubscription, { ...deps, settings }, newUser(), { json })
    expect([answer.status, answer.body]).toMatchObject([422, { errors: [{ path }] }])
  })

  it('answers the same subscription however often a device is posted, also at once', async () => {
    const [user, browser] = [newUser(), aBrowser()]
    const all = await Promise.all(Array.from({ length: 5 }, () => added(deps, user, browser)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    expect(await listed(deps, user)).toHaveLength(1)
  })

  it('takes new keys of a browser that subscribed anew', async () => {
    const [user, browser] = [newUser(), aBrowser()]
    const first = await added(deps, user, browser)
    const fresh = { ...aBrowser(), endpoint: browser.endpoint }
    expect(await added(deps, user, fresh)).toEqual(first)
    expect(await deps.subscriptions.list(user)).toMatchObject([{ keys: fresh.keys }])
  })

  it('moves a browser to the user who signed in on it last, and to nobody without its keys', async () => {
    const [ada, eve, browser] = [newUser(), newUser(), aBrowser()]
    const ofAda = await added(deps, ada, browser)
    const guessed = await post(eve, { ...aBrowser(), endpoint: browser.endpoint })
    expect(guessed).toMatchObject({ status: 409, body: { code: 'subscription.taken' } })
    expect(await listed(deps, ada)).toEqual([ofAda])
    const ofEve = await added(deps, eve, browser)
    expect(ofEve.id).not.toBe(ofAda.id)
    expect(await listed(deps, ada)).toEqual([])
    expect(await listed(deps, eve)).toEqual([ofEve])
  })

  it('gives a device that two users post at once to one of them', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [ada, eve, browser] = [newUser(), newUser(), aBrowser()]
      await Promise.all([added(deps, ada, browser), added(deps, eve, browser)])
      expect([...(await listed(deps, ada)), ...(await listed(deps, eve))]).toHaveLength(1)
    }
  })

  it('takes ten devices of a user and no eleventh, also at once', async () => {
    const user = newUser()
    const answers = await Promise.all(Array.from({ length: 14 }, () => post(user, aBrowser())))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10)
    const refused = answers.find(({ status }) => status !== 201)
    expect(refused).toMatchObject({ status: 409, body: { code: 'subscription.too_many' } })
    expect(await listed(deps, user)).toHaveLength(10)
  })

  it.each([
    ['an endpoint without https', { ...aBrowser(), endpoint: 'http://push.example.org/send' }],
    ['an endpoint on another port', { ...aBrowser(), endpoint: 'https://push.example.org:8443/send' }],
    ['an endpoint with a password', { ...aBrowser(), endpoint: 'https://a:b@push.example.org/send' }],
    ['an endpoint on this machine', { ...aBrowser(), endpoint: 'https://127.0.0.1/send' }],
    ['an endpoint on this machine by name', { ...aBrowser(), endpoint: 'https://localhost/send' }],
    ['an endpoint that is the metadata service', { ...aBrowser(), endpoint: 'https://169.254.169.254/x' }],
  ])('refuses %s', async (_, json) => {
    const answer = await post(newUser(), json)
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'endpoint' }] } })
    expect(JSON.stringify(answer.body)).not.toContain('/send')
  })

  it.each([
    ['no keys', { endpoint: 'https://push.example.org/send' }],
    ['a key of another kind', { ...aBrowser(), keys: { p256dh: 'A'.repeat(87), auth: 'A'.repeat(22) } }],
    [
      'a key that is no point on the curve',
      { ...aBrowser(), keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) } },
    ],
    ['a short secret', { ...aBrowser(), keys: { ...aBrowser().keys, auth: 'A' } }],
    ['both kinds of device', { ...aBrowser(), fcm_token: 'x'.repeat(30) }],
    ['a token with a path in it', { fcm_token: `../../${'x'.repeat(30)}` }],
  ])('refuses %s', async (_, json) => {
    expect((await post(newUser(), json)).status).toBe(422)
  })
})
