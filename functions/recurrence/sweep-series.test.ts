import { describe, expect, it } from 'vitest'
import { sweepSeries as sweepOnce } from '../../shared/app/recurrence/sweep-series.ts'
import type { Deps } from '../../shared/app/ports.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'
import { takeMessages } from '../../testing/builders/messages.ts'

const service = await taskService(['recurrence/sweep-series'])
const { newUser, app, deps, sql, logged } = service

const sweep = async (headers: Record<string, string> = { 'dapr-api-token': deps.settings.appToken }) =>
  app.request('/dapr/cron/sweep-series-cron', { method: 'POST', headers })

/** A daily task whose first occurrence is completed at eight o'clock, and whose message is lost. */
async function interrupted(user: Client): Promise<string> {
  service.at('2026-03-02T08:00:00Z')
  const { id, series_id: seriesId } = await user.create({
    due_at: '2026-03-02T09:00:00Z',
    recurrence_rule: 'daily',
  })
  await user.does('POST', `/api/tasks/${id}/complete`)
  await takeMessages(service)
  return seriesId!
}

const makers = async (user: Client) =>
  (await user.events())
    .filter(({ type }) => type === 'task.occurrence.generated')
    .map(({ data }) => [data.task.due_date, data['actor']])

const repairs = () => logged.map(({ fields }) => fields).filter((fields) => 'repaired' in fields)

describe('sweep-series', () => {
  it('makes the occurrence that a lost message should have made, and counts it', async () => {
    const user = newUser()
    await interrupted(user)
    service.at('2026-03-02T08:01:01Z')
    const before = repairs().length
    expect((await sweep()).status).toBe(204)
    expect(await makers(user)).toEqual([
      ['2026-03-03', expect.objectContaining({ type: 'system', made_by: 'cron/sweep-series' })],
    ])
    expect(repairs().slice(before)).toEqual([{ repaired: 1 }])
    expect((await sweep()).status).toBe(204)
    expect(await makers(user)).toHaveLength(1)
    expect(repairs()).toHaveLength(before + 1)
  })

  it('repairs ten of a user before it goes on to the next', async () => {
    const [crowd, other] = [newUser(), newUser()]
    for (let n = 0; n < 25; n += 1) await interrupted(crowd)
    await interrupted(other)
    service.at('2026-03-02T08:01:01Z')
    const order: string[] = []
    const commit: Deps['changes']['commit'] = (change) => {
      order.push(change.userId)
      return deps.changes.commit(change)
    }
    expect(await sweepOnce({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-series')).toBe(26)
    expect(order.filter((id) => id === crowd.id)).toHaveLength(25)
    expect(order.indexOf(other.id)).toBeLessThanOrEqual(10)
  })

  it('leaves a series alone whose message may still come', async () => {
    const user = newUser()
    await interrupted(user)
    service.at('2026-03-02T08:00:59Z')
    await sweep()
    expect(await makers(user)).toEqual([])
    service.at('2026-03-02T08:01:01Z')
    await sweep()
    expect(await makers(user)).toHaveLength(1)
  })

  it('leaves series alone that are open or ended', async () => {
    const user = newUser()
    service.at('2026-03-02T08:00:00Z')
    const rule = { due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' }
    await user.create(rule)
    const ended = await user.create(rule)
    await user.does('DELETE', `/api/tasks/${ended.id}`)
    service.at('2026-03-03T08:00:00Z')
    await sweep()
    expect(await makers(user)).toEqual([])
  })

  it('repairs every series, however many there are', async () => {
    const user = newUser()
    const tasks = await Promise.all(
      Array.from({ length: 130 }, () =>
        user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' }),
      ),
    )
    service.at('2026-03-02T08:00:00Z')
    await Promise.all(tasks.map(({ id }) => user.does('POST', `/api/tasks/${id}/complete`)))
    service.at('2026-03-02T08:10:00Z')
    expect(await sweepOnce(deps, 'cron/sweep-series')).toBe(130)
    expect(await makers(user)).toHaveLength(130)
  })

  it('repairs once when several sweeps run at the same time', async () => {
    const user = newUser()
    await interrupted(user)
    service.at('2026-03-02T08:10:00Z')
    const before = repairs().length
    await Promise.all(Array.from({ length: 10 }, () => sweep()))
    expect(await makers(user)).toHaveLength(1)
    expect(repairs().slice(before)).toEqual([{ repaired: 1 }])
  })

  it('goes on to the next series when one cannot be repaired, and tries that one again', async () => {
    const [first, second] = [newUser(), newUser()]
    const stubborn = await interrupted(first)
    await interrupted(second)
    service.at('2026-03-02T08:10:00Z')
    const loadWaiting: Deps['changes']['loadWaiting'] = (userId, seriesId) =>
      seriesId === stubborn ? Promise.reject(new Error('no')) : deps.changes.loadWaiting(userId, seriesId)
    expect(await sweepOnce({ ...deps, changes: { ...deps.changes, loadWaiting } }, 'cron/sweep-series')).toBe(
      1,
    )
    expect(await makers(second)).toHaveLength(1)
    expect(logged).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ series_id: stubborn }) }),
    )
    await sweep()
    expect(await makers(first)).toHaveLength(1)
  })

  it('reaches those that have waited less long behind any number that cannot be repaired', async () => {
    const [hopeless, user] = [newUser(), newUser()]
    service.at('2026-03-02T08:00:00Z')
    const tasks = await Promise.all(
      Array.from({ length: 130 }, () =>
        hopeless.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' }),
      ),
    )
    await Promise.all(tasks.map(({ id }) => hopeless.does('POST', `/api/tasks/${id}/complete`)))
    const { id } = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    service.at('2026-03-02T08:05:00Z')
    await user.does('POST', `/api/tasks/${id}/complete`)
    service.at('2026-03-02T08:10:00Z')
    const loadWaiting: Deps['changes']['loadWaiting'] = (userId, seriesId) =>
      userId === hopeless.id ? Promise.reject(new Error('no')) : deps.changes.loadWaiting(userId, seriesId)
    expect(await sweepOnce({ ...deps, changes: { ...deps.changes, loadWaiting } }, 'cron/sweep-series')).toBe(
      1,
    )
    expect(await makers(user)).toEqual([
      ['2026-03-03', expect.objectContaining({ type: 'system', made_by: 'cron/sweep-series' })],
    ])
    expect(await sweepOnce(deps, 'cron/sweep-series')).toBe(130)
  })

  it('is for the sidecar only', async () => {
    const user = newUser()
    await interrupted(user)
    service.at('2026-03-02T08:10:00Z')
    expect((await sweep({})).status).toBe(401)
    expect((await sweep({ 'dapr-api-token': 'guessed' })).status).toBe(401)
    expect(await makers(user)).toEqual([])
    expect((await sweep()).status).toBe(204)
    expect(await sql`select 1 from series where state = 'active' and live_task_id is null`).toEqual([])
  })
})
