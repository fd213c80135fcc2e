import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../shared/domain/audit/entry.ts'
import { auditService } from '../../testing/worlds/audit-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'

const service = await auditService()
const { newUser } = service

interface AuditList {
  items: AuditEntry[]
  next_cursor: string | null
}

const list = (user: Client, query = '') => service.get<AuditList>(user, `/api/audit${query}`)
const places = ({ items }: AuditList) => items.map(({ seq }) => seq)

/** Seven things that a user has done, a minute apart. */
async function busyUser() {
  const user = newUser()
  const { id } = await user.create({ title: 'Pay rent' })
  for (const title of ['Pay', 'Pay the', 'Pay the rent']) {
    service.clock.advance(60_000)
    await user.does('PATCH', `/api/tasks/${id}`, { title })
  }
  service.clock.advance(60_000)
  const { id: other } = await user.create({ title: 'Stretch' })
  service.clock.advance(60_000)
  await user.does('POST', `/api/tasks/${id}/complete`)
  service.clock.advance(60_000)
  await user.does('DELETE', `/api/tasks/${other}`)
  await service.record()
  return { user, id, other }
}

describe('list-audit', () => {
  it('shows the newest first, and nothing of others', async () => {
    const { user } = await busyUser()
    const stranger = newUser()
    const page = await list(user)
    expect(places(page)).toEqual([7, 6, 5, 4, 3, 2, 1])
    expect(page.items[0]).toMatchObject({
      action: 'task.deleted',
      user_id: user.id,
      details: { title: 'Stretch' },
    })
    expect(await list(stranger)).toEqual({ items: [], next_cursor: null })
  })

  it('walks through all by cursor, whatever comes in between', async () => {
    const { user } = await busyUser()
    const walked: number[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: AuditList = await list(user, `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      walked.push(...places(page))
      cursor = page.next_cursor
      await user.create()
      await service.record()
    }
    expect(walked).toEqual([7, 6, 5, 4, 3, 2, 1])
  })

  it('filters by what happened, to what and when', async () => {
    const { user, id, other } = await busyUser()
    expect(places(await list(user, '?action=task.updated'))).toEqual([4, 3, 2])
    expect(places(await list(user, '?action=task.created,task.deleted'))).toEqual([7, 5, 1])
    expect(places(await list(user, '?action=task'))).toHaveLength(7)
    expect(places(await list(user, '?action=tas'))).toEqual([])
    expect(places(await list(user, `?resource=task/${other}`))).toEqual([7, 5])
    expect(places(await list(user, `?resource=task/${id}&action=task.completed`))).toEqual([6])
    expect(places(await list(user, '?since=2026-03-02T08:04:00Z'))).toEqual([7, 6, 5])
    expect(places(await list(user, '?since=2026-03-02T08:01:00Z&until=2026-03-02T08:03:00Z'))).toEqual([3, 2])
  })

  it.each([
    ['limit=0', 'query.limit'],
    ['action=a%25', 'query.action.0'],
    ['resource=task', 'query.resource'],
    ['since=yesterday', 'query.since'],
    ['cursor=x', 'cursor'],
  ])('refuses %s and names the field', async (query, path) => {
    const { status, problem } = await newUser().send('GET', `/api/audit?${query}`)
    expect([status, problem.errors?.[0]?.path.replace(/^query\./, '')]).toEqual([
      422,
      path.replace('query.', ''),
    ])
  })

  it('refuses a cursor of another filter', async () => {
    const { user } = await busyUser()
    const { next_cursor: cursor } = await list(user, '?limit=1')
    expect((await user.send('GET', `/api/audit?action=task&cursor=${cursor}`)).status).toBe(422)
  })
})
