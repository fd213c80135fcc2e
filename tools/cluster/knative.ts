import { join } from 'node:path'
import { moduleFolder } from '../k8s/go-module.ts'
import { apply, rolledOut, type Resource } from './kubectl.ts'
import { forThisNode, resourcesIn } from './manifests.ts'
import { image, NETWORK } from './places.ts'
import { pinnedModule } from './programs.ts'

const SERVING = 'knative-serving'
const GATEWAY = 'kourier-system'

/** As docs/kubernetes.md tells an operator to set them, and with which a Service is at zero half a minute after its last request. */
const SETTINGS: Readonly<Record<string, Record<string, string>>> = {
  'config-network': { 'ingress-class': 'kourier.ingress.networking.knative.dev' },
  'config-domain': { 'svc.example': '' },
  'config-autoscaler': { 'scale-to-zero-grace-period': '10s' },
  'config-gc': {
    'min-non-active-revisions': '0',
    'max-non-active-revisions': '0',
    'retain-since-create-time': 'disabled',
    'retain-since-last-active-time': 'disabled',
  },
  'config-kourier': { 'use-remote-address': 'true' },
  'config-deployment': {
    'registries-skipping-tag-resolving': 'dev.local',
    'queue-sidecar-image': image('knative-queue'),
  },
}

/** Knative Serving with Kourier, from the manifests in their modules. */
export async function installKnative(): Promise<void> {
  const folder = (path: string) => moduleFolder(pinnedModule('knative', path))
  const core = join(folder('knative.dev/serving'), 'config/core')
  const files = [
    '100-namespace.yaml',
    '200-serviceaccount.yaml',
    '200-roles',
    '300-resources',
    '300-knativecertificate.yaml',
    'configmaps',
    'webhooks',
    ...['activator', 'autoscaler', 'controller', 'webhook'].map((name) => `deployments/${name}.yaml`),
  ]
  const resources = resourcesIn(
    ...files.map((file) => join(core, file)),
    ...['networking', 'caching', 'net-kourier'].map((name) => join(folder(`knative.dev/${name}`), 'config')),
  )
    // Nothing measures here what autoscalers of processor time ask for.
    .filter(({ kind }) => kind !== 'HorizontalPodAutoscaler')
    .map(local)
  const isKnatives = ({ apiVersion }: Resource) => apiVersion.includes('knative.dev/')
  await apply(resources.filter((resource) => !isKnatives(resource)))
  await rolledOut(SERVING, 'deployment/webhook')
  await apply(resources.filter(isKnatives)) // which the webhook checks
  await Promise.all([
    ...['controller', 'autoscaler', 'activator', 'net-kourier-controller'].map((name) =>
      rolledOut(SERVING, `deployment/${name}`),
    ),
    rolledOut(GATEWAY, 'deployment/3scale-kourier-gateway'),
  ])
}

/** Settings are part of what is applied, so that nothing starts with others. */
function local(resource: Resource): Resource {
  const settings = resource.kind === 'ConfigMap' ? SETTINGS[resource.metadata.name] : undefined
  if (settings) resource.data = { ...resource.data, ...settings }
  if (resource.metadata.name === 'kourier' && resource.kind === 'Service')
    resource.spec = { ...(resource.spec as object), type: 'ClusterIP', clusterIP: NETWORK.gateway }
  return forThisNode(resource, (name) => {
    if (name.includes('envoy')) return 'envoy'
    const program = name.split('/cmd/').at(-1) ?? ''
    return program === 'kourier' ? program : `knative-${program}`
  })
}
