import { describe, expect, it } from 'vitest'
import {
  decidePreferences,
  DEFAULT_PREFERENCES,
  PreferencesInput,
  preferencesView,
} from './notification-preferences.ts'
import { CHANNELS, NOTIFICATION_TYPES } from './notification.ts'

const NOW = new Date('2026-03-02T12:00:00.000Z')
const context = { accountTimeZone: 'Europe/Berlin', now: NOW, newSecret: () => 'whsec_new' }

describe('preferences', () => {
  it('that name nothing are the defaults', () => {
    const { preferences, nextDigestAt } = decidePreferences(
      DEFAULT_PREFERENCES,
      PreferencesInput.parse({}),
      context,
    )
    expect(preferences).toEqual({ ...DEFAULT_PREFERENCES, version: 1 })
    expect(nextDigestAt).toBe(null)
  })

  it('name channels for every type of notification', () => {
    const { channels } = preferencesView(DEFAULT_PREFERENCES)
    expect(Object.keys(channels)).toEqual([...NOTIFICATION_TYPES])
    expect(
      Object.values(channels)
        .flat()
        .every((channel) => CHANNELS.includes(channel)),
    ).toBe(true)
  })

  it('are answered as they can be sent back, but for what only the server sets', () => {
    const input = PreferencesInput.parse({
      ...{ channels: { notice: ['webhook'] }, quiet_hours: { start: '23:00', end: '06:30' } },
      ...{
        daily_digest: { at: '08:00' },
        time_zone: 'Asia/Tokyo',
        webhook_url: 'https://hooks.example.org/',
      },
    })
    const { preferences, nextDigestAt } = decidePreferences(DEFAULT_PREFERENCES, input, context)
    const { version, webhook_secret, ...rest } = preferencesView(preferences)
    expect([version, webhook_secret]).toEqual([1, 'whsec_new'])
    expect(PreferencesInput.parse(rest)).toEqual(input)
    expect(nextDigestAt).toEqual(new Date('2026-03-02T23:00:00.000Z'))
  })

  it('give a webhook a secret that lost its own', () => {
    const before = { ...DEFAULT_PREFERENCES, webhookUrl: 'https://hooks.example.org/', webhookSecret: null }
    const input = PreferencesInput.parse({ webhook_url: before.webhookUrl })
    expect(decidePreferences(before, input, context).preferences.webhookSecret).toBe('whsec_new')
  })
})
