import { expect, it } from 'vitest'
import { anEvent } from '../../../testing/builders/a-task.ts'
import type { Actor } from '../ports.ts'
import type { ChangeLog } from './ports.ts'
import { talkChanges } from './talk-changes.ts'

const userId = '0190a0e8-0000-7000-8000-000000000001'
const actor: Actor = { userId, view: { type: 'user', id: userId }, timeZone: 'UTC', scopes: ['changes:read'] }
const history = '0190a0e8-0000-7000-8000-00000000000a'

/** Somebody who has five events. Each read may be held up, or fail. */
function talking(before: (read: number) => Promise<void> = async () => {}) {
  let reads = 0
  const after: ChangeLog['after'] = async (_, sequence, limit) => {
    await before((reads += 1))
    const events = [1, 2, 3, 4, 5]
      .filter((seq) => seq > sequence)
      .slice(0, limit)
      .map((seq) => ({ ...anEvent(), userId, sequence: seq }))
    const last = events.at(-1)?.sequence
    return { events, hasMore: last !== undefined && last < 5, history, oldest: 1, newest: 5 }
  }
  const conversation = talkChanges(
    {
      clock: { now: () => new Date('2026-03-01T00:00:00Z') },
      changeLog: { after } as ChangeLog,
      changeSignal: { subscribe: () => () => {} },
    },
    actor,
  )
  const say = (message: object) => conversation.take(message) as Promise<Record<string, unknown>[]>
  const next = async () => (await conversation.next()).items as Record<string, unknown>[]
  return { say, next }
}
const typesOf = (messages: Record<string, unknown>[]) => messages.map(({ type, channel }) => [type, channel])

it('loses nothing of one channel where the other cannot be read', async () => {
  let isAway = false
  let held = 0
  const { say, next } = talking(async () => {
    held += 1
    if (isAway && held > 1) throw new Error('away')
  })
  await say({ type: 'subscribe', channel: 'changes', since: '0' })
  await say({ type: 'subscribe', channel: 'tasks', since: '0' })
  isAway = true
  held = 0
  const told: Record<string, unknown>[] = await next().catch(() => [])
  isAway = false
  told.push(...(await next().catch(() => [])))
  expect(told.filter(({ type }) => type === 'change')).toHaveLength(5)
})

it.each(['subscribe', 'unsubscribe'])(
  'says nothing of a channel after its %s that was read before',
  async (type) => {
    const reading = Promise.withResolvers<void>()
    const hold = Promise.withResolvers<void>()
    let isHeld = false
    const { say, next } = talking(async () => {
      if (!isHeld) return
      isHeld = false
      reading.resolve()
      await hold.promise
    })
    await say({ type: 'subscribe', channel: 'changes', since: '0' })
    await say({ type: 'subscribe', channel: 'tasks', since: '0' })
    isHeld = true
    const said: Record<string, unknown>[] = []
    const telling = next().then((told) => said.push(...told))
    await reading.promise
    said.push(...(await say({ type, channel: 'changes', since: '5' })))
    hold.resolve()
    await telling
    const at = said.findLastIndex(({ type: one }) => one === `${type}d`)
    expect(said.slice(Math.max(at, 0)).filter(({ type: one }) => one === 'change')).toEqual([])
    expect(typesOf(said)).toContainEqual([`${type}d`, 'changes'])
  },
)
