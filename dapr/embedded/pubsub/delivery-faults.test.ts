import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Sql } from '../../../shared/db/connect.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { embeddedSidecar, testResources } from '../../../testing/sidecar/embedded-sidecar.ts'
import { mortal } from '../../../testing/sidecar/mortal-sql.ts'
import { createRecordingApp, type ReceivedCall } from '../../../testing/sidecar/recording-app.ts'

const KEYS = ['a', 'b', 'c', 'd']
const MESSAGES = 120
const MAX_RETRIES = 4
const ANSWERS = [
  () => Response.json({ status: 'SUCCESS' }),
  () => Response.json({ status: 'RETRY' }),
  () => new Response(null, { status: 500 }),
  () => Promise.reject(new Error('connection refused')),
  () => Response.json({ status: 'DROP' }),
]

interface Item {
  key: string
  n: number
}

const nameOf = ({ key, n }: Item): string => `${key} ${n}`

/** mulberry32: the same faults for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const resources = testResources(`
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.kafka, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: test }
spec:
  policies: { retries: { quick: { policy: constant, duration: 5ms, maxRetries: ${MAX_RETRIES} } } }
  targets: { components: { pubsub: { inbound: { retry: quick } } } }
`)

async function play(sql: Sql, seed: number): Promise<{ taken: Item[]; dead: Item[]; givenUp: Set<string> }> {
  const random = randomFrom(seed)
  const taken: Item[] = []
  const dead: Item[] = []
  const failures = new Map<string, number>()
  // A sidecar may have gone on to the next message after these, and been killed before it could say so.
  const givenUp = new Set<string>()
  const itemOf = ({ body }: ReceivedCall) => (JSON.parse(body) as { data: Item }).data
  const appId = `app-${seed}`
  const topic = `work-${seed}`
  const app = createRecordingApp()
  app.subscriptions = [
    { pubsubname: 'pubsub', topic, route: '/work', deadLetterTopic: `${topic}-dead` },
    { pubsubname: 'pubsub', topic: `${topic}-dead`, route: '/dead' },
  ]
  app.on('/dead', (call) => void dead.push(itemOf(call)))
  app.on('/work', async (call) => {
    const index = random() < 0.75 ? 0 : Math.floor(random() * ANSWERS.length)
    if (random() < 0.2) await new Promise(setImmediate)
    const item = itemOf(call)
    const id = nameOf(item)
    if (index === 0) taken.push(item)
    else failures.set(id, (failures.get(id) ?? 0) + 1)
    if (index === ANSWERS.length - 1 || (failures.get(id) ?? 0) > MAX_RETRIES) givenUp.add(id)
    return await ANSWERS[index]!()
  })

  let killable = mortal(sql)
  let dapr = await embeddedSidecar(killable, { app, appId, resources })
  const next = new Map(KEYS.map((key) => [key, 0]))
  for (let sent = 0; sent < MESSAGES; sent += 1) {
    const key = KEYS[Math.floor(random() * KEYS.length)]!
    const n = next.get(key)!
    next.set(key, n + 1)
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key, n }),
    }
    const response = await dapr.call(`/v1.0/publish/pubsub/${topic}?metadata.partitionKey=${key}`, init)
    expect(response.status).toBe(204)
    if (random() < 0.04) {
      killable.die()
      killable = mortal(sql)
      dapr = await embeddedSidecar(killable, { app, appId, resources })
    }
  }
  const finished = () => new Set([...taken, ...dead].map(nameOf)).size
  await vi.waitFor(() => expect(finished()).toBe(MESSAGES), 15_000)
  await dapr.sidecar.idle()
  return { taken, dead, givenUp }
}

let sql: Sql
beforeAll(async () => {
  sql = await testDatabase()
})

describe('deliveries under faults', () => {
  it.each(Array.from({ length: 8 }, (_, index) => index + 1))(
    'lose nothing and keep the order of each key: seed %i',
    async (seed) => {
      const { taken, dead, givenUp } = await play(sql, seed)
      expect(dead.length).toBeGreaterThan(0)
      for (const key of KEYS) {
        const firsts = [
          ...new Set(
            taken.filter((item) => item.key === key && !givenUp.has(nameOf(item))).map(({ n }) => n),
          ),
        ]
        expect(firsts.length).toBeGreaterThan(5)
        expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
      }
    },
  )
})
