import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply, kubectl, kubectlWith } from '../../tools/cluster/kubectl.ts'
import { parseResources } from '../../tools/cluster/manifests.ts'
import { stringify } from 'yaml'
import { renderCharts } from '../kubernetes/render-charts.ts'
import { NAMESPACE } from './harness/releases.ts'

const EMPTY = 'dry-run'
/** Of operators that this cluster does not have. */
const ABSENT =
  /^(gateway\.networking\.k8s\.io|monitoring\.coreos\.com|external-secrets\.io|kafka\.strimzi\.io)\//
const EXPOSED = ['expose.host=a.example', 'edge.trustedProxies=10.0.0.0/8']

beforeAll(async () => {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  }
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: EMPTY, labels } }])
})
afterAll(() => kubectl('delete', 'namespace', EMPTY, '--wait=false'))

it.each([
  ['as they come', {}],
  [
    'with an app for each function',
    { platform: ['granularity=function'], daybook: ['granularity=function'] },
  ],
  ['with an Ingress', { daybook: [...EXPOSED, 'expose.ingress.enabled=true'] }],
  ['with an autoscaler at the edge', { daybook: ['edge.autoscaling.enabled=true'] }],
  ['with a Job for topics', { platform: ['topics.by=job', 'topics.brokers=kafka:9092'] }],
])('the API server takes the charts %s, without a warning', async (_, settings) => {
  const { yaml } = renderCharts(settings)
  const resources = parseResources(yaml)
    .filter(({ apiVersion }) => !ABSENT.test(apiVersion))
    .map(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, namespace: EMPTY } }))
  // Knative asks for a pod of each Service without making it, and that needs its account.
  await apply(resources.filter(({ kind }) => kind === 'ServiceAccount'))
  const input = resources.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
  const options = ['--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors']
  const taken = await kubectlWith({ input }, 'apply', ...options, '-n', EMPTY, '-f', '-')
  expect(taken.trim().split('\n')).toHaveLength(resources.length)
})

describe('the account of', () => {
  const mayRead = async (account: string, secret: string): Promise<boolean> => {
    const asked = ['auth', 'can-i', 'get', `secret/${secret}`, '-n', NAMESPACE]
    const answer = await kubectl(...asked, `--as=system:serviceaccount:${NAMESPACE}:${account}`).catch(
      () => 'no',
    )
    return answer.trim() === 'yes'
  }

  it.each([
    ['notifications-worker', 'vapidprivatekey', true],
    ['notifications-worker', 'daybook-database', false],
    ['tasks-api', 'vapidprivatekey', false],
    ['edge', 'daybook-app-token', false],
  ])('%s reads the Secret %s: %s', async (account, secret, may) => {
    expect(await mayRead(account, secret)).toBe(may)
  })
})
