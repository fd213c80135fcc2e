import { describe, expect, it } from 'vitest'
import type { Occurrence } from '../../shared/domain/recurrence/series.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aSeries, tasksAdded } from '../../testing/builders/a-task.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import listOccurrences from './list-occurrences.ts'

const { deps } = await testDaybook()

/** A daily series at 09:00 UTC; it is noon on 2 March. */
async function aDailyTask(states: Occurrence['state'][]) {
  const userId = systemIds.uuid()
  const series = aSeries({ userId })
  const change = tasksAdded(userId, [{ seriesId: series.id, recurrenceRule: series.rule }])
  const taskId = change.newTasks[0]!.id
  const newOccurrences = states.map((state, index) => ({
    seriesId: series.id,
    occurrenceAt: new Date(Date.UTC(2026, 2, index + 1, 9)),
    state,
    closedAt: null,
    taskId: state === 'missed' ? null : taskId,
  }))
  await deps.changes.commit({ ...change, series, newOccurrences })
  const get = async (query = '') => {
    const { status, body } = await ask(listOccurrences, deps, userId, { id: taskId, query })
    return { status, body: body as { upcoming: object[]; history: object[] } }
  }
  return { get, taskId }
}

const march = (day: number) => `2026-03-${String(day).padStart(2, '0')}T09:00:00.000Z`

describe('list-occurrences', () => {
  it('tells what became of each, newest first, and what is to come after the open one', async () => {
    const { get, taskId } = await aDailyTask(['completed', 'missed', 'skipped', 'open'])
    expect(await get('?limit=5')).toEqual({
      status: 200,
      body: {
        upcoming: [5, 6, 7, 8, 9].map((day) => ({ occurrence_at: march(day) })),
        history: [
          { occurrence_at: march(4), state: 'open', task_id: taskId },
          { occurrence_at: march(3), state: 'skipped', task_id: taskId },
          { occurrence_at: march(2), state: 'missed', task_id: null },
          { occurrence_at: march(1), state: 'completed', task_id: taskId },
        ],
      },
    })
  })

  it('tells what is to come from now on when the open one is overdue', async () => {
    const { get } = await aDailyTask(['open'])
    expect((await get('?limit=1')).body.upcoming).toEqual([{ occurrence_at: march(3) }])
  })

  it('keeps to the limit, 20 unless told otherwise, 100 at most', async () => {
    const { get } = await aDailyTask(['completed', 'open'])
    expect((await get('?limit=1')).body.history).toHaveLength(1)
    expect((await get()).body.upcoming).toHaveLength(20)
    expect((await get('?limit=100')).body.upcoming).toHaveLength(100)
    for (const limit of ['0', '101', 'x', '1.5', '']) expect((await get(`?limit=${limit}`)).status).toBe(422)
  })

  it('has nothing to tell of a task that never repeated', async () => {
    const change = tasksAdded(systemIds.uuid(), [{}])
    await deps.changes.commit(change)
    const got = await ask(listOccurrences, deps, change.userId, { id: change.newTasks[0]!.id })
    expect(got).toMatchObject({ status: 200, body: { upcoming: [], history: [] } })
  })
})
