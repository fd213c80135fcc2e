import { describe, expect, it } from 'vitest'
import type { ActivityDay } from '../../shared/domain/audit/activity.ts'
import { auditService } from '../../testing/worlds/audit-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'

const service = await auditService()
const { newUser } = service

const list = (user: Client, query = '') =>
  service.get<{ days: ActivityDay[]; next_cursor: string | null }>(user, `/api/activity${query}`)
const said = ({ days }: { days: ActivityDay[] }) =>
  days.map(({ date, items }) => [
    date,
    items.map(({ sentence, times }) => (times > 1 ? `${sentence} ×${times}` : sentence)),
  ])

describe('list-activity', () => {
  it("says in sentences what happened, by day in the user's zone, what is repeated once", async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    service.at('2026-03-02T04:00:00Z')
    const { id } = await user.create({
      title: 'Water plants',
      due_at: '2026-03-02T09:00:00Z',
      recurrence_rule: 'daily',
    })
    service.at('2026-03-02T05:30:00Z')
    for (const description of ['a', 'b', 'c']) await user.does('PATCH', `/api/tasks/${id}`, { description })
    await service.next(user, id)
    await service.record()
    expect(said(await list(user))).toEqual([
      [
        '2026-03-02',
        [
          'Daybook planned the next occurrence of “Water plants”',
          'You completed “Water plants”',
          'You changed “Water plants” (description) ×3',
        ],
      ],
      ['2026-03-01', ['You added “Water plants”']],
    ])
  })

  it('goes on by cursor, and tells of one task', async () => {
    const user = newUser()
    const [one, two] = [await user.create({ title: 'One' }), await user.create({ title: 'Two' })]
    await user.does('DELETE', `/api/tasks/${one.id}`)
    await service.record()
    const first = await list(user, '?limit=2')
    expect(said(first)).toEqual([['2026-03-02', ['You deleted “One”', 'You added “Two”']]])
    expect(said(await list(user, `?cursor=${first.next_cursor}`))).toEqual([
      ['2026-03-02', ['You added “One”']],
    ])
    expect(said(await list(user, `?task_id=${two.id}`))).toEqual([['2026-03-02', ['You added “Two”']]])
    expect(said(await list(newUser(), `?task_id=${two.id}`))).toEqual([])
  })
})
