import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT } from '../worlds/source-files.ts'

// On programs that note how they are called, and on no cluster.
const folder = mkdtempSync(join(tmpdir(), 'daybook-cluster-up-'))
const log = join(folder, 'calls')

beforeAll(() => {
  for (const name of ['docker', 'kubectl', 'helm', 'kind', 'minikube']) {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${log}'\n`)
    chmodSync(path, 0o755)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

function clusterUp(...args: string[]) {
  rmSync(log, { force: true })
  const { status, stdout } = spawnSync('bash', [`${ROOT}scripts/cluster-up`, ...args], {
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin` },
  })
  const calls = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  return { status, stdout, calls }
}

it.each(['kind', 'minikube'])('makes a cluster by %s, what Daybook runs on, and Daybook last', (kind) => {
  const { status, stdout, calls } = clusterUp(kind)
  expect({ status, end: stdout.trim().split('\n').at(-1) }).toEqual({
    status: 0,
    end: '  kubectl -n daybook port-forward service/edge 8080:80',
  })
  const order = [
    kind === 'kind' ? 'kind create cluster' : 'minikube start',
    'docker build',
    kind === 'kind' ? 'kind load' : 'minikube image load',
    'kubectl apply -f https://github.com/knative/serving',
    'helm upgrade --install dapr ',
    'helm upgrade --install keda ',
    'kubectl apply -n daybook -f docs/kubernetes/postgres-and-kafka.yaml',
    'kubectl -n daybook exec -i deployment/postgres',
    'helm upgrade --install daybook-platform ',
    'helm upgrade --install daybook ',
  ]
  const places = order.map((start) => calls.findIndex((call) => call.startsWith(start)))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})

it('takes the versions that the guide names', () => {
  const script = readFileSync(`${ROOT}scripts/cluster-up`, 'utf8')
  const guide = readFileSync(`${ROOT}docs/kubernetes.md`, 'utf8')
  const pinned = [...script.matchAll(/^(KNATIVE|KOURIER|DAPR|KEDA)=(\S+)$/gm)].map(([, name, version]) => [
    name,
    version,
  ])
  expect(pinned).toHaveLength(4)
  expect(pinned.filter(([, version]) => !guide.includes(version!))).toEqual([])
})

it('removes it again, and does nothing that it was not asked for', () => {
  expect(clusterUp('down', 'minikube').calls).toEqual(['minikube delete --profile daybook'])
  expect(clusterUp('dwon')).toMatchObject({ status: 1, calls: [] })
})
