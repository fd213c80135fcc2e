import { describe, expect, it } from 'vitest'
import type { Sql } from '../../../shared/db/connect.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { removeOldMessages } from './retention.ts'
import { embeddedSidecar, type Driver } from '../../../testing/sidecar/embedded-sidecar.ts'
import { createRecordingApp } from '../../../testing/sidecar/recording-app.ts'

const DAY_MS = 86_400_000
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS)

/** A consumer of both topics: what it got there. */
async function consumer(sql: Sql, appId: string) {
  const app = createRecordingApp()
  app.subscriptions = ['task-updates', 'task-events'].map((topic) => ({
    pubsubname: 'pubsub',
    topic,
    route: `/${topic}`,
  }))
  const dapr = await embeddedSidecar(sql, { app, appId })
  await dapr.sidecar.idle()
  return { ...dapr, received: (topic: string) => app.calls(`/${topic}`).length }
}

async function publish(dapr: Driver, topic: string): Promise<void> {
  const response = await dapr.call(`/v1.0/publish/pubsub/${topic}`, { method: 'POST', body: 'x' })
  expect(response.status).toBe(204)
}

describe('removeOldMessages', () => {
  it('removes what is older than its topic keeps it, so that a new group begins after it', async () => {
    const sql = await testDatabase()
    const first = await consumer(sql, 'first')
    await publish(first, 'task-updates')
    await publish(first, 'task-events')
    await first.sidecar.idle()
    await removeOldMessages(sql, daysFromNow(2))
    const second = await consumer(sql, 'second')
    expect(second.received('task-updates')).toBe(0)
    expect(second.received('task-events')).toBe(1)
    await publish(second, 'task-updates')
    await second.sidecar.idle()
    expect(second.received('task-updates')).toBe(1)
  })

  it('keeps what a group has not finished, however old', async () => {
    const sql = await testDatabase()
    const [first, asleep] = [await consumer(sql, 'first'), await consumer(sql, 'asleep')]
    await asleep.sidecar.stop()
    await publish(first, 'task-updates')
    await first.sidecar.idle()
    await removeOldMessages(sql, daysFromNow(400))
    expect((await consumer(sql, 'asleep')).received('task-updates')).toBe(1)
  })

  it('keeps what waits for a retry', async () => {
    const sql = await testDatabase()
    const first = await consumer(sql, 'first')
    let isBroken = true
    first.app.on('/task-updates', () => (isBroken ? new Response(null, { status: 500 }) : undefined))
    await publish(first, 'task-updates')
    await first.sidecar.idle()
    await first.sidecar.stop()
    await removeOldMessages(sql, daysFromNow(400))
    isBroken = false
    const tries = first.received('task-updates')
    const again = await embeddedSidecar(sql, { app: first.app, appId: 'first' })
    await expect.poll(() => first.received('task-updates'), { timeout: 10_000 }).toBe(tries + 1)
    await again.sidecar.idle()
  })
})
