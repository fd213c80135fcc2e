import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply, kubectl, type Resource } from '../../tools/cluster/kubectl.ts'
import { NETWORK } from '../../tools/cluster/places.ts'
import { product } from '../product/harness/product.ts'
import { followPods, until, type SeenPod } from './harness/pods.ts'
import { NAMESPACE } from './harness/releases.ts'

const daybook = await product()
const pods = await followPods()
afterAll(pods.close)

const FOREIGN = 'default'
const IMAGE = 'dev.local/daybook:test'

/** Somebody else's pod, with Node in it. */
const stranger = (namespace: string): Resource => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'stranger', namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'node',
        image: IMAGE,
        args: ['-e', 'setInterval(() => {}, 2 ** 30)'],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})

/** What a connection from a container comes to: "connected", or the code of what went wrong. */
async function connects(
  from: { namespace: string; pod: string; container: string },
  to: string,
): Promise<string> {
  const [host, port] = to.split(':')
  const script = `const s = require('net').connect({ host: '${host}', port: ${port}, timeout: 2000 })
    const end = (word) => { console.log(word); s.destroy() }
    s.on('connect', () => end('connected')).on('timeout', () => end('silence')).on('error', (e) => end(e.code))`
  const { namespace, pod, container } = from
  const args = ['-n', namespace, 'exec', pod, '-c', container, '--', '/usr/local/bin/node', '-e', script]
  return (await kubectl(...args)).trim()
}

const foreigner = { namespace: FOREIGN, pod: 'stranger', container: 'node' }
const intruder = { namespace: NAMESPACE, pod: 'stranger', container: 'node' }

let edge: SeenPod
let api: SeenPod
let worker: SeenPod

beforeAll(async () => {
  await apply([stranger(FOREIGN), stranger(NAMESPACE)])
  for (const namespace of [FOREIGN, NAMESPACE])
    await kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'pod/stranger', '--timeout=60s')
  // A service that is asked again and again stays; a worker for as long as its cooldown.
  const user = await daybook.newUser()
  const { id } = await user.create({ due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' })
  await user.does('POST', `/api/tasks/${id}/complete`)
  const ready = (app: string) => pods.living(app).find(({ readyAt }) => readyAt !== undefined)
  await until('pods of each kind', () =>
    Boolean(ready('edge') && ready('tasks-api') && ready('recurrence-worker')),
  )
  ;[edge, api, worker] = [ready('edge')!, ready('tasks-api')!, ready('recurrence-worker')!]
  const awake = setInterval(() => void user.send('GET', '/api/tasks?limit=1'), 1000)
  return async () => {
    clearInterval(awake)
    for (const namespace of [FOREIGN, NAMESPACE])
      await kubectl('-n', namespace, 'delete', 'pod', 'stranger', '--ignore-not-found')
  }
})

describe('a pod of another namespace', () => {
  it('reaches what is open to it, so that the rest means something', async () => {
    expect(await connects(foreigner, `${NETWORK.gateway}:80`)).toBe('connected')
  })

  it.each([
    ['the edge', () => `${edge.address}:8080`],
    ['the sidecar of the edge', () => `${edge.address}:50002`],
    ['an app', () => `${api.address}:8080`],
    ["an app by Knative's proxy", () => `${api.address}:8012`],
    ['the sidecar of an app', () => `${api.address}:50002`],
    ['a worker', () => `${worker.address}:8080`],
    ['the sidecar of a worker', () => `${worker.address}:50002`],
  ])('does not reach %s', async (_, target) => {
    expect(await connects(foreigner, target())).not.toBe('connected')
  })

  it('reaches the URL of a unit by way of Knative, and is not believed there', async () => {
    const script = `fetch('http://tasks-api.${NAMESPACE}.svc.cluster.local/dapr/config').then((a) => console.log(a.status))`
    const { namespace, pod, container } = foreigner
    const command = ['/usr/local/bin/node', '-e', script]
    const status = await kubectl('-n', namespace, 'exec', pod, '-c', container, '--', ...command)
    expect(['401', '403', '404']).toContain(status.trim())
  })
})

describe('a pod in the namespace that belongs to no unit', () => {
  it.each([
    ['PostgreSQL', () => `${NETWORK.node}:15432`],
    ['Kafka', () => `${NETWORK.node}:19092`],
    ['the API server', () => `${NETWORK.node}:7443`],
    ['the edge', () => `${edge.address}:8080`],
    ['a worker', () => `${worker.address}:8080`],
    ['the gateway', () => `${NETWORK.gateway}:80`],
  ])('does not reach %s', async (_, target) => {
    expect(await connects(intruder, target())).not.toBe('connected')
  })
})

it('a unit reaches what its functions use, and nothing else', async () => {
  const from = { namespace: NAMESPACE, pod: api.name, container: 'tasks-api' }
  expect(await connects(from, `${NETWORK.node}:15432`)).toBe('connected')
  expect(await connects(from, `${NETWORK.node}:19092`)).toBe('connected')
  expect(await connects(from, `${NETWORK.node}:12525`)).not.toBe('connected')
  expect(await connects(from, `${edge.address}:8080`)).not.toBe('connected')
  expect(await connects(from, `${worker.address}:8080`)).not.toBe('connected')
})

it('sidecars speak mTLS, each with the name of its account, and turn away who has none', async () => {
  const socket = connectTls({
    host: worker.address!,
    port: 50_002,
    rejectUnauthorized: false, // by an authority of Dapr's own
    ALPNProtocols: ['h2'],
  })
  await once(socket, 'secureConnect')
  expect(socket.getPeerCertificate().subjectaltname).toContain(
    `spiffe://cluster.local/ns/${NAMESPACE}/recurrence-worker`,
  )
  // It asks for a certificate of ours, and there is none.
  const [refusal] = (await once(socket, 'error').catch((error: Error) => [error])) as [Error]
  expect(refusal.message).toMatch(/certificate required|ECONNRESET|bad certificate/)
})
