import { describe, expect, it } from 'vitest'
import type { LiveEvents, ServerSentEvent } from '../app/sync/ports.ts'
import { createIds } from '../../testing/faults/random.ts'
import { composeDaybook } from '../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import { HEARTBEAT_MS } from './event-stream.ts'
import { createLiveConnections, MAX_STREAM_MS } from './live-connections.ts'

const sql = await testDatabase()

/** Streams whose time passes only when it is told to, and events that a test hands out. */
function given({ mostPerOwner = 3 } = {}) {
  const { deps, logged } = composeDaybook(sql)
  const { startTimer, due, advance } = manualTimers()
  const ids = createIds('000000000000', 0)
  const streams = createLiveConnections({
    ...deps,
    sessions: deps.identity.sessions,
    ids,
    startTimer,
    mostPerOwner,
  })
  const subscribers = new Set<() => void>()
  return {
    streams,
    logged,
    timers: due,
    subscribers,
    advance,
    open(owner: string, next: LiveEvents['next'] = async () => ({ items: [], hasMore: false })) {
      const subscribe = (onNews: () => void) => {
        subscribers.add(onNews)
        return () => void subscribers.delete(onNews)
      }
      const events = { first: { event: 'connected', id: 7, data: {} }, next, subscribe }
      const reader = streams.open({ userId: owner }, events).getReader()
      return {
        cancel: () => reader.cancel(),
        read: async () => {
          const { value, done } = await reader.read()
          return done ? null : Buffer.from(value).toString()
        },
      }
    },
  }
}

const event = (id: number): ServerSentEvent => ({ event: 'reminder', id, data: { id } })

describe('an event stream', () => {
  it('holds nothing before it is read and after it is cancelled', async () => {
    const { streams, timers, subscribers, open } = given()
    const stream = open('ada')
    expect([streams.count(), timers.size, subscribers.size]).toEqual([0, 0, 0])
    expect(await stream.read()).toBe('retry: 3000\nid: 7\nevent: connected\ndata: {}\n\n')
    expect([streams.count(), subscribers.size]).toEqual([1, 1])
    const waiting = stream.read()
    await stream.cancel()
    expect(await waiting).toBeNull()
    expect([streams.count(), timers.size, subscribers.size]).toEqual([0, 0, 0])
  })

  it('asks for events only as fast as its client takes them', async () => {
    let asked = 0
    const { open } = given()
    const stream = open('ada', async () => ({ items: [event((asked += 1))], hasMore: true }))
    await stream.read()
    expect(asked).toBe(0)
    expect(await stream.read()).toBe('id: 1\nevent: reminder\ndata: {"id":1}\n\n')
    await new Promise(setImmediate)
    expect(asked).toBe(1)
    await stream.cancel()
  })

  it('misses no news that comes while it reads', async () => {
    const { open, subscribers } = given()
    const rows = [event(1)]
    let taken = 0
    const stream = open('ada', async () => {
      const found = rows.slice(taken)
      taken = rows.length
      await new Promise(setImmediate)
      if (rows.length === 1) {
        rows.push(event(2))
        for (const tell of subscribers) tell()
      }
      return { items: found, hasMore: false }
    })
    await stream.read()
    expect(await stream.read()).toContain('id: 1\n')
    expect(await stream.read()).toContain('id: 2\n')
    await stream.cancel()
  })

  it('goes on by itself when the database was away, which is logged once for all', async () => {
    let isAway = true
    const { open, advance, logged } = given()
    const next = async () => {
      if (isAway) throw new Error('away')
      return { items: [event(1)], hasMore: true }
    }
    const outage = async (streams: { read: () => Promise<string | null> }[]) => {
      isAway = true
      const waiting = streams.map((stream) => stream.read())
      for (let nth = 0; nth < 2; nth += 1) {
        await new Promise(setImmediate)
        advance(3000)
      }
      await new Promise(setImmediate)
      isAway = false
      advance(3000)
      for (const text of await Promise.all(waiting)) expect(text).toContain('id: 1\n')
    }
    const streams = [open('ada', next), open('bob', next)]
    for (const stream of streams) await stream.read()
    await outage(streams)
    expect(logged).toHaveLength(1)
    await outage(streams)
    expect(logged).toHaveLength(2)
    for (const stream of streams) await stream.cancel()
  })

  it('ends between two events, half a minute before its time at the earliest, and says when to come back', async () => {
    const { open, advance, streams, timers } = given()
    const stream = open('ada')
    await stream.read()
    for (let passed = 0; passed < MAX_STREAM_MS - HEARTBEAT_MS; passed += HEARTBEAT_MS) {
      advance(HEARTBEAT_MS)
      expect(await stream.read()).toMatch(/^event: heartbeat\n/)
    }
    advance(HEARTBEAT_MS)
    expect(await stream.read()).toMatch(/^retry: \d{3,4}\n\n$/)
    expect(await stream.read()).toBeNull()
    expect([streams.count(), timers.size]).toEqual([0, 0])
  })

  it("ends the owner's oldest beyond the limit, nobody else's, and asks it to stay away for a minute", async () => {
    const { open, streams } = given({ mostPerOwner: 2 })
    const other = open('eve')
    await other.read()
    const mine = [open('ada'), open('ada'), open('ada')]
    for (const stream of mine) await stream.read()
    expect(await mine[0]!.read()).toBe('retry: 60000\n\n')
    expect(await mine[0]!.read()).toBeNull()
    expect(streams.count()).toBe(3)
    await Promise.all([...mine, other].map((stream) => stream.cancel()))
    expect(streams.count()).toBe(0)
  })

  it('ends at once when the process ends, the one that comes too late as well', async () => {
    const { open, streams, timers } = given()
    const stream = open('ada')
    await stream.read()
    const waiting = stream.read()
    streams.endAll()
    const late = open('ada')
    await late.read()
    for (const last of [waiting, late.read()]) expect(await last).toMatch(/^retry: \d{3,4}\n\n$/)
    expect([await stream.read(), await late.read()]).toEqual([null, null])
    expect([streams.count(), timers.size]).toEqual([0, 0])
  })
})
