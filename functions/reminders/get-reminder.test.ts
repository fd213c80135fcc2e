import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, get, newUser } = service
const DUE = { due_at: '2026-03-02T12:00:00Z' }

describe('GET /api/reminders/:id', () => {
  it('shows what is to come, then what became of it on each channel', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const reminder = await add(user, task.id, { offset_minutes: 60, channels: ['in_app'] })
    const fire_at = '2026-03-02T11:00:00.000Z'
    const line = { fire_at, channel: 'in_app', reason: null }
    const open = { attempts: 0, triggered_at: null, delivered_at: null, late: false }
    const scheduled = { ...line, ...open, state: 'scheduled' }
    expect(await get(user, reminder.id)).toEqual({ ...reminder, firings: [scheduled] })
    await service.tickAt('11:00:01.500')
    const done = { triggered_at: '2026-03-02T11:00:01.500Z', delivered_at: '2026-03-02T11:00:01.500Z' }
    expect(await get(user, reminder.id)).toMatchObject({
      status: 'delivered',
      version: 2,
      next_fire_at: null,
      firings: [{ ...line, ...done, state: 'delivered', attempts: 1, late: false }],
    })
  })

  it('shows every firing of an insistent one, late ones as late', async () => {
    const user = newUser()
    const task = await user.create({ ...DUE, priority: 'high' })
    const { id } = await add(user, task.id, { offset_minutes: 60 })
    for (const time of ['11:00:00', '11:12:00']) await service.tickAt(time)
    expect((await get(user, id)).firings.map(({ fire_at, state, late }) => [fire_at, state, late])).toEqual([
      ['2026-03-02T11:00:00.000Z', 'delivered', false],
      ['2026-03-02T11:10:00.000Z', 'delivered', true],
      ['2026-03-02T11:20:00.000Z', 'scheduled', false],
    ])
  })

  it('says that a worker is about to fire it', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const { id } = await add(user, task.id, { offset_minutes: 60 })
    service.at('2026-03-02T11:00:00Z')
    const claim = { now: service.deps.clock.now(), leaseUntil: new Date('2026-03-02T11:00:30Z'), limit: 1 }
    expect(await service.deps.dueReminders.claimOne(id, claim)).toHaveLength(1)
    expect((await get(user, id)).firings).toMatchObject([{ state: 'claimed' }])
  })

  it('answers 304 until its time, and anew from then on: deliveries change without its version', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const { id } = await add(user, task.id, { offset_minutes: 60, channels: ['in_app'] })
    const ask = async (tag: string) => {
      const got = await user.send('GET', `/api/reminders/${id}`, undefined, { 'if-none-match': tag })
      return [got.status, got.headers.get('etag')]
    }
    expect(await ask('"1"')).toEqual([304, '"1"'])
    service.at('2026-03-02T11:00:00Z')
    expect(await ask('"1"')).toEqual([200, '"1"'])
    await service.tick()
    expect(await ask('"2"')).toEqual([200, '"2"'])
  })

  it('names the channels of the preferences as they are now, where the reminder has none of its own', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const { id } = await add(user, task.id, { offset_minutes: 60 })
    const channels = async () => (await get(user, id)).firings.map(({ channel }) => channel)
    expect(await channels()).toEqual(['in_app'])
    await service.sql`insert into users values (${user.id}, ${`${user.id}@example.org`}, 'x', 'UTC', now(), now())`
    const again = await user.send('GET', `/api/reminders/${id}`, undefined, { 'if-none-match': '"1"' })
    expect(again.status).toBe(200)
    expect(await channels()).toEqual(['in_app', 'email'])
  })
})
