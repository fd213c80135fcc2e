import { describe, expect, inject, it } from 'vitest'
import { createChangeStore } from '../../shared/db/changes/change-store.ts'
import { connect } from '../../shared/db/connect.ts'
import { createPreferenceStore } from '../../shared/db/notifications/preference-store.ts'
import type { PreferencesView } from '../../shared/domain/notifications/notification-preferences.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import { notificationService } from '../../testing/worlds/notification-service.ts'

const { newUser, deps, sql, at, account } = await notificationService()
const PATH = '/api/notifications/preferences'
const HOOK = 'https://hooks.example.org/daybook'

const put = (user: Client, body: unknown, headers?: Record<string, string>) =>
  user.send('PUT', PATH, body, headers)
const set = async (user: Client, body: object, headers?: Record<string, string>) =>
  (await user.does('PUT', PATH, body, headers)) as unknown as PreferencesView
const get = async (user: Client) => (await user.does('GET', PATH)) as unknown as PreferencesView
const digestOf = async (user: Client) => {
  const [row] = await sql`select next_digest_at from notification_preferences where user_id = ${user.id}`
  return (row!['next_digest_at'] as Date | null)?.toISOString() ?? null
}

describe('PUT /api/notifications/preferences', () => {
  it('replaces all of them; what is left out takes its default', async () => {
    const user = newUser()
    const first = await set(user, {
      channels: { reminder: ['web_push', 'in_app', 'web_push'], notice: ['email'] },
      quiet_hours: { start: '22:00', end: '07:00' },
      daily_digest: { at: '08:15' },
      default_reminder_minutes: null,
      time_zone: 'Asia/Kolkata',
    })
    expect(first).toMatchObject({
      channels: { reminder: ['web_push', 'in_app'], notice: ['email'], daily_digest: ['in_app', 'email'] },
      quiet_hours: { start: '22:00', end: '07:00' },
      daily_digest: { at: '08:15' },
      default_reminder_minutes: null,
      time_zone: 'Asia/Kolkata',
      version: 1,
    })
    expect(await get(user)).toEqual(first)
    const second = await set(user, {})
    expect(second).toMatchObject({ quiet_hours: null, daily_digest: null, time_zone: null, version: 2 })
    expect(second.default_reminder_minutes).toBe(60)
    expect(second.channels.notice).toEqual(['in_app'])
    expect(await get(user)).toEqual(second)
    expect(await digestOf(user)).toBe(null)
  })

  it.each([
    [{ quiet_hours: { start: '22:00', end: '24:00' } }, 'quiet_hours.end'],
    [{ quiet_hours: { start: '22:00', end: '22:00' } }, 'quiet_hours.end'],
    [{ quiet_hours: { start: '22:00' } }, 'quiet_hours.end'],
    [{ daily_digest: { at: '8:00' } }, 'daily_digest.at'],
    [{ default_reminder_minutes: -1 }, 'default_reminder_minutes'],
    [{ default_reminder_minutes: 527_041 }, 'default_reminder_minutes'],
    [{ default_reminder_minutes: '60' }, 'default_reminder_minutes'],
    [{ time_zone: 'Europe/Nowhere' }, 'time_zone'],
    [{ channels: { reminder: ['pigeon'] } }, 'channels.reminder.0'],
    [{ channels: { reminder: ['in_app', 'sms'] } }, 'channels.reminder.1'],
    [{ channels: { reminder: [] } }, 'channels.reminder'],
    [{ channels: { gossip: ['email'] } }, 'channels.gossip'],
    [{ webhook_url: 'http://hooks.example.org/x' }, 'webhook_url'],
    [{ webhook_url: 'https://127.0.0.1/x' }, 'webhook_url'],
    [{ webhook_url: 'https://user:password@hooks.example.org/x' }, 'webhook_url'],
    [{ webhook_url: 'javascript:alert(1)' }, 'webhook_url'],
    [{ webhook_secret: 'whsec_mine' }, 'webhook_secret'],
    [{ email: 'somebody@example.org' }, 'email'],
  ])('refuses %j and names %s', async (body, path) => {
    const user = newUser()
    const { status, problem } = await put(user, body)
    expect([status, problem.code, problem.errors?.map((error) => error.path)]).toEqual([
      422,
      'request.invalid',
      [path],
    ])
    expect(await get(user)).toMatchObject({ version: 0 })
  })

  it('makes a secret for a webhook, keeps it while the URL stays, and makes another for another URL', async () => {
    const user = newUser()
    const first = await set(user, { webhook_url: HOOK })
    expect(first.webhook_secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const same = await set(user, { webhook_url: HOOK, quiet_hours: { start: '22:00', end: '07:00' } })
    expect(same.webhook_secret).toBe(first.webhook_secret)
    const other = await set(user, { webhook_url: `${HOOK}/2` })
    expect(other.webhook_secret).toMatch(/^whsec_/)
    expect(other.webhook_secret).not.toBe(first.webhook_secret)
    expect((await set(user, {})).webhook_secret).toBe(null)
    expect((await set(user, { webhook_url: HOOK })).webhook_secret).not.toBe(first.webhook_secret)
  })

  it.each([
    ['HTTPS://Hooks.Example.ORG', 'https://hooks.example.org/'],
    ['https://hooks.example.org:443/a/../b?c d#e', 'https://hooks.example.org/b?c%20d'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
  ])('keeps the webhook %s as it is sent: %s', async (given, kept) => {
    const user = newUser()
    const first = await set(user, { webhook_url: given })
    expect(first.webhook_url).toBe(kept)
    const again = await set(user, { webhook_url: given })
    expect([again.webhook_url, again.webhook_secret]).toEqual([kept, first.webhook_secret])
  })

  it('refuses a stale If-Match and takes the current one, from the first time on', async () => {
    const user = newUser()
    const stale = await put(user, {}, { 'if-match': '"1"' })
    expect([stale.status, stale.problem.code]).toEqual([412, 'preferences.version_conflict'])
    const first = await put(user, {}, { 'if-match': '"0"' })
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"'])
    expect((await put(user, {}, { 'if-match': '"0"' })).status).toBe(412)
    expect((await put(user, {}, { 'if-match': 'W/"x", "1"' })).status).toBe(200)
    expect((await put(user, {}, { 'if-match': '7' })).status).toBe(400)
    expect(await get(user)).toMatchObject({ version: 2 })
  })

  it('keeps what each of several writers at once wrote, one after the other', async () => {
    const user = newUser()
    const answers = await Promise.all(
      ['06:00', '07:00', '08:00', '09:00'].map((time) => put(user, { daily_digest: { at: time } })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(answers.map(({ body }) => (body as PreferencesView).version).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4,
    ])
    const last = answers.find(({ body }) => (body as PreferencesView).version === 4)!
    expect(await get(user)).toEqual(last.body)
  })

  it('needs one connection at a time, so that writers cannot wait for each other', async () => {
    const [one, two] = [newUser(), newUser()]
    const [row] = await sql<{ database: string }[]>`select current_database() as database`
    const narrow = connect({ ...inject('postgres'), ...row }, { max: 2, applicationName: 'narrow' })
    const { changes, preferences } = deps
    Object.assign(deps, { changes: createChangeStore(narrow), preferences: createPreferenceStore(narrow) })
    try {
      const times = ['06:00', '07:00', '08:00', '09:00']
      const answers = await Promise.all(
        [one, two].flatMap((user) => times.map((time) => put(user, { daily_digest: { at: time } }))),
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    } finally {
      Object.assign(deps, { changes, preferences })
      await narrow.end({ timeout: 1 })
    }
  })

  it('lets one of several writers through that all know the same version', async () => {
    const user = newUser()
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => put(user, { webhook_url: HOOK }, { 'if-match': '"0"' })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412])
  })

  it('sets the first digest of the day by the zone that is chosen, else by that of the account', async () => {
    const user = newUser()
    await account(user, { timeZone: 'Europe/Berlin' })
    at('2026-03-02T08:00:00Z')
    await set(user, { daily_digest: { at: '09:00' } })
    expect(await digestOf(user)).toBe('2026-03-03T08:00:00.000Z')
    await set(user, { daily_digest: { at: '09:00' }, time_zone: 'America/New_York' })
    expect(await digestOf(user)).toBe('2026-03-02T14:00:00.000Z')
  })

  it('leaves the mail address to the account: it is nowhere in the preferences', async () => {
    const user = newUser()
    const address = await account(user)
    const { audience } = await deps.preferences.get(user.id)
    expect(audience.hasEmail).toBe(true)
    expect(JSON.stringify(await get(user))).not.toContain(address)
  })
})
