import { describe, expect, it } from 'vitest'
import { notificationService } from '../../testing/worlds/notification-service.ts'

const { newUser, prefer } = await notificationService()
const PATH = '/api/notifications/preferences'

describe('GET /api/notifications/preferences', () => {
  it('answers the defaults to who has set none, as version 0', async () => {
    const got = await newUser().send('GET', PATH)
    expect(got.body).toEqual({
      channels: {
        reminder: ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'],
        quiet_digest: ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'],
        daily_digest: ['in_app', 'email'],
        notice: ['in_app'],
      },
      quiet_hours: null,
      daily_digest: null,
      default_reminder_minutes: 60,
      time_zone: null,
      webhook_url: null,
      webhook_secret: null,
      webhook_confirmed_at: null,
      version: 0,
    })
    expect([got.status, got.headers.get('etag')]).toEqual([200, '"0"'])
  })

  it('shows nobody the preferences of another user', async () => {
    const [user, other] = [newUser(), newUser()]
    await prefer(user, { webhook_url: 'https://hooks.example.org/mine' })
    expect((await other.send('GET', PATH)).body).toMatchObject({ webhook_url: null, version: 0 })
  })

  it('is kept by no cache, for it shows a secret', async () => {
    expect((await newUser().send('GET', PATH)).headers.get('cache-control')).toBe('no-store')
  })
})
