import { join } from 'node:path'
import { moduleFolder } from '../k8s/go-module.ts'
import { apply, kubectl, rolledOut } from './kubectl.ts'
import { forThisNode, parseResources } from './manifests.ts'
import { pinnedModule } from './programs.ts'

const namespace = 'keda'

/** Operator and metrics server, from the manifests in KEDA's module; its webhook, which only checks, is left out. */
export async function installKeda(): Promise<void> {
  const folder = moduleFolder(pinnedModule('keda', 'github.com/kedacore/keda/v2'))
  const resources = parseResources(await kubectl('kustomize', join(folder, 'config/minimal')))
  await apply(
    resources.map((resource) =>
      forThisNode(resource, (name) =>
        name.includes('metrics-apiserver') ? 'keda-adapter' : 'keda-operator',
      ),
    ),
  )
  await Promise.all([
    rolledOut(namespace, 'deployment/keda-operator'),
    rolledOut(namespace, 'deployment/keda-metrics-apiserver'),
  ])
  const metrics = 'apiservice/v1beta1.external.metrics.k8s.io'
  await kubectl('wait', '--for=condition=Available', '--timeout=90s', metrics)
}
