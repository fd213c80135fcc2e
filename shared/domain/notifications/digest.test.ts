import { describe, expect, it } from 'vitest'
import { anAudience } from '../../../testing/builders/a-reminder.ts'
import { aTask } from '../../../testing/builders/a-task.ts'
import { systemIds } from '../../kit/system.ts'
import { decideDailyDigest, lines } from './digest.ts'
import { DEFAULT_PREFERENCES } from './notification-preferences.ts'

const NOW = new Date('2026-03-02T08:30:00.000Z')
const at = (dailyDigestAt: string | null, over = {}) =>
  anAudience({ preferences: { ...DEFAULT_PREFERENCES, dailyDigestAt }, ...over })
const decide = (digest: Partial<Parameters<typeof decideDailyDigest>[0]> = {}, now = NOW) =>
  decideDailyDigest(
    { audience: at('08:30'), dueAt: NOW, tasks: [aTask({ dueDate: '2026-03-02' })], total: 1, ...digest },
    { now, newId: systemIds.uuid },
  )
const noticeOf = (decision: ReturnType<typeof decide>) => decision.newNotifications?.[0]?.notification

describe('the digest of the day', () => {
  it('tells of the tasks and says when the next one comes', () => {
    const tasks = [
      aTask({ title: 'File taxes', dueDate: '2026-03-01' }),
      aTask({ title: 'Pay rent', dueAt: new Date('2026-03-02T15:00:00Z'), dueDate: '2026-03-02' }),
    ]
    const decision = decide({ tasks, total: 3 })
    expect(noticeOf(decision)).toMatchObject({
      type: 'daily_digest',
      source: 'digest/2026-03-02',
      title: '3 tasks for today',
      late: false,
      body:
        '• File taxes (Was due on Sunday 1 March 2026.)\n' +
        '• Pay rent (Due on Monday 2 March 2026 at 15:00.)\nand one more',
    })
    expect(decision.nextDigest).toEqual({ from: NOW, to: new Date('2026-03-03T08:30:00Z') })
  })

  it('bears the day of the zone on which it was to come', () => {
    const audience = at('23:50', { timeZone: 'America/New_York' })
    const dueAt = new Date('2026-03-02T04:50:00Z')
    const late = decide({ audience, dueAt }, new Date('2026-03-02T05:20:00Z'))
    expect(noticeOf(late)).toMatchObject({ source: 'digest/2026-03-01', late: true })
    expect(late.nextDigest?.to).toEqual(new Date('2026-03-03T04:50:00Z'))
  })
})

describe('a list', () => {
  it('has fifty lines at most and counts the rest', () => {
    const all = Array.from({ length: 60 }, (_, index) => `Task ${index}`)
    const list = lines(all).split('\n')
    expect([list.length, list[49], list[50]]).toEqual([51, '• Task 49', 'and 10 more'])
    expect(lines(all.slice(0, 50)).split('\n')).toHaveLength(50)
  })
})
