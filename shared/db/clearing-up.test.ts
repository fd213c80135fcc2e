import { describe, expect, it } from 'vitest'
import { systemIds } from '../kit/system.ts'
import { aChange, aSeries, NOON } from '../../testing/builders/a-task.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'

const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)

const { deps: stores } = await testDaybook()

describe('clearing up', () => {
  it('finds active series that have been without a live task for a while, the longest first', async () => {
    const userId = uuid()
    const long = aSeries({ userId, updatedAt: later(-2000) })
    const longer = aSeries({ userId, updatedAt: later(-3000) })
    const twin = aSeries({ userId, updatedAt: long.updatedAt })
    const others = [
      aSeries({ userId, updatedAt: later(-1000) }),
      aSeries({ userId, updatedAt: later(-9000), state: 'ended' }),
      aSeries({ userId, updatedAt: later(-9000), liveTaskId: uuid() }),
    ]
    for (const series of [twin, long, longer, ...others])
      await stores.changes.commit(aChange(userId, { series }))
    const expected = [longer, long, twin].map(({ id, updatedAt }) => ({
      userId,
      seriesId: id,
      waitingSince: updatedAt,
    }))
    const { withoutLiveTask } = stores.waitingSeries
    expect(await withoutLiveTask(later(-1000), null, 10)).toEqual(expected)
    expect(await withoutLiveTask(later(-1000), null, 1)).toEqual(expected.slice(0, 1))
    expect(await withoutLiveTask(later(-1000), expected[0]!, 1)).toEqual(expected.slice(1, 2))
    expect(await withoutLiveTask(later(-1000), expected[1]!, 10)).toEqual(expected.slice(2))
  })
})
