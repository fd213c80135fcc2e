import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, expect, it } from 'vitest'
import { kubectl } from '../../tools/cluster/kubectl.ts'
import { product } from '../product/harness/product.ts'
import { memoryOf } from './harness/memory.ts'
import { ms, spread } from './harness/numbers.ts'
import { allGone, followPods, until, type SeenPod } from './harness/pods.ts'
import { NAMESPACE } from './harness/releases.ts'

const ROUNDS = 4
/** Required of the median through the gateway. */
const MEDIAN_MS = 1200

const daybook = await product()
const pods = await followPods()
afterAll(pods.close)

interface Part {
  pod: number
  sidecar: number
  app: number
  answer: number
}

/** What a cold request waited for: a pod, its sidecar, the app's container, and the answer after that. */
function partsOf(pod: SeenPod, begun: number, ended: number): Part {
  const sidecar = pod.startedAt['daprd']!
  const app = pod.startedAt['tasks-api']!
  return { pod: pod.seenAt - begun, sidecar: sidecar - pod.seenAt, app: app - sidecar, answer: ended - app }
}

async function rounds(ask: () => Promise<number>): Promise<{ waits: number[]; parts: Part[] }> {
  const waits: number[] = []
  const parts: Part[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await allGone(pods, 'tasks-api')
    const begun = Date.now()
    expect(await ask()).toBe(200)
    const ended = Date.now()
    waits.push(ended - begun)
    const pod = pods.all.find(({ app, seenAt }) => app === 'tasks-api' && seenAt >= begun)
    if (pod) parts.push(partsOf(pod, begun, ended))
  }
  return { waits, parts }
}

function explain(what: string, { waits, parts }: { waits: number[]; parts: Part[] }): void {
  console.log(`${what}: ${spread(waits)} (${waits.join(', ')})`)
  const of = (part: keyof Part) =>
    ms(parts.map((each) => each[part]).toSorted((a, b) => a - b)[parts.length >> 1]!)
  console.log(
    `  in the middle: pod made ${of('pod')}, sidecar runs ${of('sidecar')} later, app ${of('app')}, answer ${of('answer')}`,
  )
}

it('a cold request through the gateway, and straight to the unit', async () => {
  const user = await daybook.newUser()
  const { token } = await daybook.register()
  const through = await rounds(async () => (await user.send('GET', '/api/tasks?limit=1')).status)
  explain('through the gateway and the edge', through)
  const service = ['get', 'service', 'kourier-internal', '-o', 'jsonpath={.spec.clusterIP}']
  const inner = await kubectl('-n', 'kourier-system', ...service)
  const straight = await rounds(
    async () => await get(inner, `tasks-api.${NAMESPACE}.svc.cluster.local`, token),
  )
  explain('straight to the unit', straight)
  const sorted = through.waits.toSorted((a, b) => a - b)
  expect(sorted[ROUNDS >> 1]).toBeLessThan(MEDIAN_MS * 2)
})

it('every unit wakes, and what its pods take', async () => {
  const user = await daybook.confirmedUser()
  const { id } = await user.create({
    due_at: new Date(Date.now() + 86_400_000).toISOString(),
    recurrence_rule: 'daily',
  })
  await user.does('POST', `/api/tasks/${id}/complete`)
  for (const path of ['/api/tasks', '/api/notifications', '/api/reminders', '/api/me'])
    expect((await user.send('GET', path)).status).toBe(200)
  await until('a worker', () => pods.living('recurrence-worker').some(({ readyAt }) => readyAt !== undefined))
  for (const { pod, containers } of await memoryOf(NAMESPACE)) {
    const list = Object.entries(containers).map(([name, mib]) => `${name} ${mib.toFixed(0)}`)
    console.log(`MiB of ${pod}: ${list.join(', ')}`)
  }
})

/** By Node's own client, because `fetch` takes the name of a host from the address alone. */
async function get(host: string, name: string, token: string): Promise<number> {
  const asked = request({
    host,
    path: '/api/tasks?limit=1',
    headers: { host: name, authorization: `Bearer ${token}` },
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  await text(answer)
  return answer.statusCode ?? 0
}
