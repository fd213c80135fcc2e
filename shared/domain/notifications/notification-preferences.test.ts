import { describe, expect, it } from 'vitest'
import {
  decidePreferences,
  DEFAULT_PREFERENCES,
  PreferencesInput,
  preferencesView,
  withoutMail,
} from './notification-preferences.ts'
import { CHANNELS } from './notification.ts'

const ID = '019c0000-0000-7000-8000-000000000001'
const NOW = new Date('2026-03-02T12:00:00.000Z')
const context = { accountTimeZone: 'Europe/Berlin', now: NOW, newSecret: () => 'whsec_new', newId: () => ID }

describe('preferences', () => {
  it('are answered as they can be sent back, but for what only the server sets', () => {
    const input = PreferencesInput.parse({
      channels: { notice: ['webhook'] },
      quiet_hours: { start: '23:00', end: '06:30' },
      daily_digest: { at: '08:00' },
      time_zone: 'Asia/Tokyo',
      webhook_url: 'https://hooks.example.org/',
    })
    const { preferences, nextDigestAt } = decidePreferences(DEFAULT_PREFERENCES, input, context)
    const { version, webhook_secret, webhook_confirmed_at, ...rest } = preferencesView(preferences)
    expect([version, webhook_secret, webhook_confirmed_at]).toEqual([1, 'whsec_new', null])
    expect(PreferencesInput.parse(rest)).toEqual(input)
    expect(nextDigestAt).toEqual(new Date('2026-03-02T23:00:00.000Z'))
  })

  it('give a webhook a secret that lost its own', () => {
    const before = { ...DEFAULT_PREFERENCES, webhookUrl: 'https://hooks.example.org/', webhookSecret: null }
    const input = PreferencesInput.parse({ webhook_url: before.webhookUrl })
    expect(decidePreferences(before, input, context).preferences.webhookSecret).toBe('whsec_new')
  })

  it('without mail of a type have the others, or the app', () => {
    const only = {
      ...DEFAULT_PREFERENCES,
      channels: { ...DEFAULT_PREFERENCES.channels, notice: ['email'] as const },
    }
    expect(withoutMail(DEFAULT_PREFERENCES, 'daily_digest')).toMatchObject({
      version: 1,
      channels: { daily_digest: ['in_app'], reminder: CHANNELS },
    })
    expect(withoutMail(only, 'notice')?.channels.notice).toEqual(['in_app'])
    expect(withoutMail(DEFAULT_PREFERENCES, 'notice')).toBeNull()
  })
})
