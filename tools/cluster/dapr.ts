import { join } from 'node:path'
import { template } from '../k8s/helm.ts'
import { moduleFolder } from '../k8s/go-module.ts'
import { apply, rolledOut, type Resource } from './kubectl.ts'
import { forThisNode, parseResources } from './manifests.ts'
import { image } from './places.ts'
import { pinnedModule } from './programs.ts'

const namespace = 'dapr-system'

/** One of each, and no disk. Pods without a sidecar are worse than none: the webhook must not be passed by. */
const SETTINGS = [
  'global.ha.enabled=false',
  'dapr_operator.watchInterval=0',
  'dapr_scheduler.cluster.inMemoryStorage=true',
  `dapr_sidecar_injector.image.name=${image('dapr-daprd')}`,
  'dapr_sidecar_injector.sidecarDropALLCapabilities=true',
  'dapr_sidecar_injector.webhookFailurePolicy=Fail',
  'dapr_sidecar_injector.namespaceSelector.matchLabels.dapr=sidecars',
]

/** Pods of a namespace get sidecars with this label; without it the webhook would wait for its own pod. */
export const WITH_SIDECARS = { dapr: 'sidecars' } as const

/** The control plane, with mTLS, from Dapr's own chart. */
export async function installDapr(): Promise<void> {
  const chart = join(moduleFolder(pinnedModule('../dapr', 'github.com/dapr/dapr')), 'charts/dapr')
  const yaml = template({ name: 'dapr', chart, namespace, settings: SETTINGS })
  await apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...parseResources(yaml).map(local),
  ])
  await Promise.all(
    [
      'deployment/dapr-operator',
      'deployment/dapr-sentry',
      'deployment/dapr-sidecar-injector',
      'statefulset/dapr-placement-server',
      'statefulset/dapr-scheduler-server',
    ].map((workload) => rolledOut(namespace, workload)),
  )
}

interface Schedulers {
  replicas: number
  template: { spec: { containers: { args: string[] }[] } }
}

function local(resource: Resource): Resource {
  if (resource.metadata.name === 'dapr-scheduler-server' && resource.kind === 'StatefulSet') {
    // The chart has three, each of which names all three, whatever `ha` says.
    const spec = resource.spec as Schedulers
    spec.replicas = 1
    for (const container of spec.template.spec.containers) {
      container.args = container.args.map((arg) =>
        arg.startsWith('dapr-scheduler-server-0=') ? arg.split(',')[0]! : arg,
      )
    }
  }
  return forThisNode(resource, (name) => `dapr-${name.split('/').at(-1)!.split(':')[0]}`)
}
