import { describe, expect, it } from 'vitest'
import { OLD_EVENTS } from '../../testing/builders/old-events.ts'
import { CATALOGUE, definitionOf } from './events.ts'
import { upcast } from './upcast.ts'

const userId = '0199d0a0-0000-7000-8000-000000000001'
const time = new Date('2026-03-02T09:00:01.000Z')
const upcasted = (type: string, data: unknown, dataversion = '1.0') =>
  upcast({ type, dataversion, data, time, userId })

const all = Object.entries(OLD_EVENTS).flatMap(([type, versions]) =>
  Object.entries(versions).map(([dataversion, data]) => ({ type, dataversion, data })),
)
const dataOf = (type: string) => upcasted(type, OLD_EVENTS[type]!['1.0'])!.data

describe('upcast', () => {
  it.each(all)(
    'reads $type $dataversion in the present version of its type',
    ({ type, dataversion, data }) => {
      const { version, data: schema } = definitionOf(type)!
      const present = upcasted(type, data, dataversion)!
      expect(present.dataversion).toBe(version)
      expect(schema.parse(present.data)).toEqual(present.data)
    },
  )

  it('knows an old event of every type that has had another version', () => {
    const isFirst = ({ version }: { version: string }) => version === '1.0'
    const changed = CATALOGUE.filter((definition) => !isFirst(definition)).map(({ type }) => type)
    expect(Object.keys(OLD_EVENTS).toSorted()).toEqual(changed.toSorted())
  })

  it('says nothing that an event did not say', () => {
    expect(dataOf('reminder.scheduled')).toMatchObject({
      reminder: { user_id: userId, origin: null, time_zone: null, fired_at: null },
      task_title: null,
      scheduled_for: '2026-03-02T09:00:00.000Z',
    })
    expect(dataOf('series.updated')).toMatchObject({
      series: { description: null, created_at: null, updated_at: '2026-03-02T09:00:01.000Z' },
    })
    expect(dataOf('notification.sent')).toMatchObject({ notification: { source: null } })
  })

  it('finds what has another name or place', () => {
    expect(dataOf('reminder.triggered')).toMatchObject({ task_title: 'Water plants', task_priority: 'high' })
    expect(dataOf('reminder.triggered')).not.toHaveProperty('priority')
    expect(dataOf('task.occurrence.generated')).toMatchObject({ actor: { made_by: 'cron/sweep-series' } })
    expect(dataOf('auth.login.failed')).toEqual({
      actor: { type: 'system', id: 'auth', client_ip: '203.0.113.9', user_agent: 'curl/8' },
      reason: 'wrong_password',
      count: 1,
    })
    expect(dataOf('auth.token.created')).toMatchObject({ actor: { type: 'user', id: userId } })
    expect(dataOf('auth.token.created')).not.toHaveProperty('actor.client_ip')
  })

  it('leaves what is of the present version, or has had only additions since, as it is', () => {
    const data = { anything: true }
    expect(upcasted('reminder.scheduled', data, '2.0')).toMatchObject({ dataversion: '2.0', data })
    expect(upcasted('reminder.scheduled', data, '2.7')).toMatchObject({ dataversion: '2.7', data })
    expect(upcasted('task.created', data, '1.0')).toEqual({ dataversion: '1.1', data })
  })

  it.each([
    ['reminder.scheduled', '3.0'],
    ['reminder.scheduled', '0.9'],
    ['reminder.scheduled', '1'],
    ['reminder.scheduled', '1.x'],
    ['reminder.scheduled', ''],
    ['task.created', '2.0'],
    ['task.exploded', '1.0'],
  ])('knows no way from %s %s', (type, dataversion) => {
    expect(upcasted(type, {}, dataversion)).toBeNull()
  })

  it.each([null, 'text', 7, [], {}, { reminder: 'text' }])(
    'leaves data of another kind, %j, to the schema',
    (data) => {
      const present = upcasted('reminder.scheduled', data)!
      expect(definitionOf('reminder.scheduled')!.data.safeParse(present.data).success).toBe(false)
    },
  )
})
