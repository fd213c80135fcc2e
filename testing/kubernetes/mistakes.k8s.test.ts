import { expect, it } from 'vitest'
import { nonConforming } from '../../tools/k8s/kubeconform.ts'
import { named, type Manifest, type Manifests } from './manifests.ts'
import { renderCharts } from './render-charts.ts'
import { breaches } from './rules.ts'

const { manifests, yaml } = renderCharts({
  platform: ['topics.by=strimzi', 'topics.cluster=kafka'],
  daybook: ['expose.host=a.example', 'expose.ingress.enabled=true', 'edge.trustedProxies=10.0.0.0/8'],
})

const knative = (all: Manifests, name: string): Manifest => named(all, 'Service', name, 'serving.')
const deployment = (all: Manifests, name: string): Manifest => named(all, 'Deployment', name)
const annotations = (workload: Manifest) =>
  workload.spec.template.metadata.annotations as Record<string, string>
const container = (workload: Manifest): Manifest => workload.spec.template.spec.containers[0]
const without = (all: Manifests, kind: string, name: string) => {
  all.all = all.all.filter((each) => !(each.kind === kind && each.metadata.name === name))
}
const triggers = (all: Manifests, name: string) =>
  named(all, 'ScaledObject', name).spec.triggers as Manifest[]

it.each<[mistake: string, make: (all: Manifests) => unknown, message: string]>([
  [
    'a unit runs the bundle of another',
    (all) => (container(knative(all, 'tasks-api')).args = ['/app/auth-api.mjs']),
    'tasks/create-task: no workload of tasks-api has it in spec.template.spec.containers[].args',
  ],
  [
    'a unit is left out',
    (all) => without(all, 'Deployment', 'recurrence-worker'),
    'recurrence/create-next-occurrence: no workload of recurrence-worker',
  ],
  [
    'a topic wakes nobody',
    (all) => triggers(all, 'recurrence-worker').splice(0),
    'recurrence/create-next-occurrence: ScaledObject recurrence-worker: spec.triggers has none of type kafka for topic task-events',
  ],
  [
    'a scaler looks at another group',
    (all) =>
      (triggers(all, 'reminders-worker').find(({ type }) => type === 'kafka').metadata.consumerGroup =
        'workers'),
    'reminders/add-default-reminder: ScaledObject reminders-worker: spec.triggers: metadata.consumerGroup of task-events is workers',
  ],
  [
    'a scaler passes by what was there before',
    (all) =>
      (triggers(all, 'recurrence-worker').find(({ type }) => type === 'kafka').metadata.offsetResetPolicy =
        'latest'),
    'metadata.offsetResetPolicy of task-events is not earliest',
  ],
  [
    'due rows wake nobody',
    (all) => triggers(all, 'reminders-worker').splice(0, 1),
    'reminders/sweep-reminders: ScaledObject reminders-worker: spec.triggers has none of type postgresql for dueReminders',
  ],
  [
    'rows are asked for without looking ahead',
    (all) =>
      (triggers(all, 'reminders-worker')[0].metadata.query =
        'select count(*) from reminders where fire_at <= now()'),
    'reminders/sweep-reminders: ScaledObject reminders-worker: spec.triggers has none of type postgresql',
  ],
  [
    'a schedule has no binding',
    (all) => without(all, 'Component', 'purge-expired-cron'),
    'tasks/purge-expired: Component purge-expired-cron is missing',
  ],
  [
    'a binding calls another path',
    (all) => (named(all, 'Component', 'purge-expired-cron').spec.metadata[1].value = '/purge'),
    'tasks/purge-expired: Component purge-expired-cron: spec.metadata route is not',
  ],
  [
    'a Deployment takes its replicas from KEDA',
    (all) => (deployment(all, 'outbox-worker').spec.replicas = 1),
    'Deployment outbox-worker: spec.replicas belongs to KEDA',
  ],
  [
    'a scaler is for nothing',
    (all) => (named(all, 'ScaledObject', 'outbox-worker').spec.scaleTargetRef.name = 'outbox'),
    'ScaledObject outbox-worker: spec.scaleTargetRef: there is no Deployment outbox',
  ],
  [
    'a budget selects nobody',
    (all) => (named(all, 'PodDisruptionBudget', 'edge').spec.selector.matchLabels = { app: 'edge' }),
    'PodDisruptionBudget edge: spec.selector finds no pod of edge',
  ],
  [
    'a topic has too few partitions',
    (all) => (named(all, 'KafkaTopic', 'reminders').spec.partitions = 1),
    'topic reminders: nothing makes it with partitions 3',
  ],
  [
    'a sidecar has another id',
    (all) => (annotations(knative(all, 'auth-api'))['dapr.io/app-id'] = 'auth'),
    'auth-api: spec.template.metadata.annotations: dapr.io/app-id is auth, not auth-api',
  ],
  [
    'a sidecar has the settings of another',
    (all) => (annotations(knative(all, 'auth-api'))['dapr.io/config'] = 'daybook'),
    'dapr.io/config is daybook, not auth-api',
  ],
  [
    'a sidecar probes a unit that should sleep',
    (all) => (annotations(knative(all, 'tasks-api'))['dapr.io/app-port'] = '8012'),
    'tasks-api: spec.template.metadata.annotations: dapr.io/app-port is 8012, not undefined: a probe would keep a sleeping unit awake',
  ],
  [
    'a worker gets no events',
    (all) => delete annotations(deployment(all, 'reminders-worker'))['dapr.io/app-port'],
    'reminders-worker: spec.template.metadata.annotations: dapr.io/app-port is undefined, not 8080',
  ],
  [
    'jobs have no scheduler',
    (all) => (annotations(deployment(all, 'reminders-worker'))['dapr.io/scheduler-host-address'] = ''),
    'reminders-worker: spec.template.metadata.annotations: dapr.io/scheduler-host-address',
  ],
  [
    "metrics on Knative's port",
    (all) => delete annotations(knative(all, 'tasks-api'))['dapr.io/metrics-port'],
    'tasks-api: spec.template.metadata.annotations: dapr.io/metrics-port',
  ],
  [
    'an annotation that Dapr ignores',
    (all) => (annotations(knative(all, 'tasks-api'))['dapr.io/app-heath-check-path'] = '/livez'),
    'spec.template.metadata.annotations: Dapr does not know dapr.io/app-heath-check-path',
  ],
  [
    'an annotation that is no text',
    (all) => Object.assign(annotations(knative(all, 'tasks-api')), { 'dapr.io/metrics-port': 9095 }),
    'dapr.io/metrics-port is no text',
  ],
  [
    'two triggers have one name',
    (all) => triggers(all, 'tasks-worker').push(triggers(all, 'tasks-worker')[0]),
    'ScaledObject tasks-worker: spec.triggers: every-1h is there twice',
  ],
  [
    'an app listens where no probe reaches it',
    (all) => container(knative(all, 'tasks-api')).env.shift(),
    'tasks-api: spec.template.spec.containers[0].env HOST is undefined',
  ],
  [
    'the edge is named by a port that Kourier does not know',
    (all) => (named(all, 'Service', 'edge', 'v1').spec.ports[0].targetPort = 'http'),
    'web/gateway: Service edge: spec.ports[].targetPort is no number',
  ],
  [
    'a component is open to all',
    (all) => delete named(all, 'Component', 'mail').scopes,
    'Component mail: scopes is empty',
  ],
  [
    'a component is closed to who uses it',
    (all) => named(all, 'Component', 'mail').scopes.splice(0, 1, 'tasks-api'),
    'notifications/*: Component mail: scopes lacks notifications-worker',
  ],
  [
    'a component is open to who is not there',
    (all) => named(all, 'Component', 'pubsub').scopes.push('sync'),
    'Component pubsub: scopes names sync, which is no app',
  ],
  [
    'a sidecar is to read secrets without a token',
    (all) => named(all, 'Component', 'secretstore').scopes.push('tasks-api'),
    'Component secretstore: scopes names tasks-api, whose sidecar has no token for the API server',
  ],
  [
    'an app may ask for more than it uses',
    (all) =>
      named(all, 'Configuration', 'tasks-api', 'dapr.io/').spec.api.allowed.push({
        name: 'state',
        version: 'v1',
        protocol: 'http',
      }),
    'tasks/*: Configuration tasks-api: spec.api.allowed',
  ],
  [
    'an app may read a secret that it does not use',
    (all) =>
      (named(all, 'Configuration', 'tasks-api', 'dapr.io/').spec.secrets.scopes[0].allowedSecrets = [
        'fcmserviceaccount',
      ]),
    'tasks/*: Configuration tasks-api: spec.secrets.scopes[0].allowedSecrets',
  ],
  [
    'an app lets others in',
    (all) =>
      (named(all, 'Configuration', 'tasks-worker', 'dapr.io/').spec.accessControl.defaultAction = 'allow'),
    'Configuration tasks-worker: spec.accessControl lets another app in',
  ],
  [
    'the gateway cannot wake a unit',
    (all) => without(all, 'HTTPEndpoint', 'reminders-api'),
    'reminders/*: HTTPEndpoint reminders-api is missing',
  ],
  [
    'an endpoint leads elsewhere',
    (all) =>
      (named(all, 'HTTPEndpoint', 'tasks-api').spec.baseUrl = 'http://tasks.daybook.svc.cluster.local'),
    'tasks/*: HTTPEndpoint tasks-api: spec.baseUrl',
  ],
  [
    'an endpoint says nobody calls',
    (all) => delete named(all, 'HTTPEndpoint', 'tasks-api').spec.headers,
    'tasks/*: HTTPEndpoint tasks-api: spec.headers has no dapr-api-token',
  ],
  [
    'anybody may use an endpoint',
    (all) => delete named(all, 'HTTPEndpoint', 'tasks-api').scopes,
    'tasks/*: HTTPEndpoint tasks-api: scopes is not [edge]',
  ],
  [
    'a pod runs as root',
    (all) => (container(deployment(all, 'edge')).securityContext.runAsUser = 0),
    'Deployment edge: container edge: securityContext.runAsUser is root',
  ],
  [
    'a pod may write to its files',
    (all) => delete container(knative(all, 'auth-api')).securityContext.readOnlyRootFilesystem,
    'Service auth-api: container auth-api: securityContext.readOnlyRootFilesystem is not true',
  ],
  [
    'a pod keeps capabilities',
    (all) => delete container(deployment(all, 'edge')).securityContext.capabilities,
    'Deployment edge: container edge: securityContext.capabilities.drop is not [ALL]',
  ],
  [
    'a pod asks for nothing',
    (all) => delete container(deployment(all, 'edge')).resources.requests,
    'Deployment edge: container edge: resources.requests lacks cpu or memory',
  ],
  [
    'a pod may take all memory',
    (all) => delete container(deployment(all, 'edge')).resources.limits,
    'Deployment edge: container edge: resources.limits.memory is missing',
  ],
  [
    'the first request does not wait for the sidecar',
    (all) => (container(knative(all, 'tasks-api')).readinessProbe.httpGet.path = '/livez'),
    'tasks-api: spec.template.spec.containers[0].readinessProbe does not ask /readyz',
  ],
  [
    'nobody sees that an app is dead',
    (all) => delete container(deployment(all, 'edge')).livenessProbe,
    'edge: spec.template.spec.containers[0].livenessProbe does not ask /livez',
  ],
  [
    'a unit knows the owner of the tables',
    (all) => (container(deployment(all, 'edge')).env[2].valueFrom.secretKeyRef.name = 'daybook-migration'),
    'env DATABASE_URL: valueFrom.secretKeyRef: daybook-migration is for the migration alone',
  ],
  [
    'a secret is in clear',
    (all) => container(deployment(all, 'edge')).env.push({ name: 'MAIL_RELAY_TOKEN', value: 'secret' }),
    'Deployment edge: container edge: env MAIL_RELAY_TOKEN is in clear',
  ],
  [
    'a secret that nobody makes',
    (all) => (container(deployment(all, 'edge')).env[2].valueFrom.secretKeyRef.key = 'uri'),
    'env DATABASE_URL: valueFrom.secretKeyRef: there is no key uri of daybook-database',
  ],
  [
    'an account reads all Secrets',
    (all) => delete named(all, 'Role', 'notifications-worker-secrets').rules[0].resourceNames,
    'notifications-worker: Role: rules[].resourceNames is ',
  ],
  [
    'an account has a token it does not need',
    (all) => (named(all, 'ServiceAccount', 'tasks-api').automountServiceAccountToken = true),
    'tasks-api: ServiceAccount: automountServiceAccountToken is not false',
  ],
  [
    'autoscaling of the Service instead of the revision',
    (all) => (knative(all, 'tasks-api').metadata.annotations = { 'autoscaling.knative.dev/min-scale': '1' }),
    'tasks-api: metadata.annotations: autoscaling.knative.dev/min-scale belongs under spec.template',
  ],
  [
    'autoscaling that Knative ignores',
    (all) => (annotations(knative(all, 'tasks-api'))['autoscaling.knative.dev/minScales'] = '1'),
    'tasks-api: spec.template.metadata.annotations: Knative does not know autoscaling.knative.dev/minScales',
  ],
  [
    "a port of Knative's own",
    (all) => (container(knative(all, 'tasks-api')).ports[0].containerPort = 8012),
    'tasks-api: spec.template.spec.containers[].ports is not one port of ours',
  ],
  [
    'a request that lasts too long',
    (all) => (knative(all, 'tasks-api').spec.template.spec.timeoutSeconds = 900),
    'tasks-api: spec.template.spec.timeoutSeconds is more than Knative allows',
  ],
  [
    'a field that Knative refuses',
    (all) => (knative(all, 'tasks-api').spec.template.spec.securityContext = {}),
    'tasks-api: spec.template.spec.securityContext is not allowed',
  ],
  [
    'a unit that the world reaches past the edge',
    (all) => delete knative(all, 'tasks-api').metadata.labels['networking.knative.dev/visibility'],
    'tasks-api: metadata.labels: the world reaches it past the edge',
  ],
  [
    'a revision with every release',
    (all) => (knative(all, 'tasks-api').spec.template.metadata.labels['helm.sh/chart'] = 'daybook-1'),
    'tasks-api: spec.template.metadata.labels change with each release',
  ],
  [
    'an open namespace',
    (all) => without(all, 'NetworkPolicy', 'closed'),
    'NetworkPolicy: none closes the namespace',
  ],
  [
    'a pod without a way',
    (all) => without(all, 'NetworkPolicy', 'recurrence-worker'),
    'Deployment recurrence-worker: no NetworkPolicy selects',
  ],
  [
    'pushes that go nowhere',
    (all) => named(all, 'NetworkPolicy', 'notifications-worker').spec.egress.splice(3),
    'notifications/*: NetworkPolicy notifications-worker: spec.egress does not reach',
  ],
  [
    'a unit that reaches the world for no reason',
    (all) =>
      named(all, 'NetworkPolicy', 'recurrence-worker').spec.egress.push({
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }],
      }),
    'recurrence/*: NetworkPolicy recurrence-worker: spec.egress reaches the world, and uses asks for none',
  ],
  [
    'a unit that anybody reaches',
    (all) => named(all, 'NetworkPolicy', 'tasks-api').spec.ingress.push({ ports: [{ port: 8012 }] }),
    'tasks/*: NetworkPolicy tasks-api: spec.ingress lets any pod in',
  ],
  [
    'clients without addresses behind an ingress',
    (all) =>
      (container(deployment(all, 'edge')).env = container(deployment(all, 'edge')).env.filter(
        ({ name }: Manifest) => name !== 'TRUSTED_PROXIES',
      )),
    'web/gateway: Deployment edge: env TRUSTED_PROXIES is missing behind an ingress',
  ],
])('finds that %s', (_, make, message) => {
  const edited = structuredClone(manifests)
  make(edited)
  // `*` is one of the functions of a unit, all of which are concerned.
  const pattern = message.replaceAll(/[.()[\]]/g, '\\$&').replaceAll('*', '[\\w-]+')
  expect(breaches(edited).join('\n')).toMatch(new RegExp(pattern))
})

it.each<[mistake: string, from: string, to: string, message: RegExp]>([
  ['a field is misspelt', 'readinessProbe:', 'readynessProbe:', /readynessProbe/],
  ['a scaler has a misspelt field', 'maxReplicaCount:', 'maxReplicas:', /ScaledObject.*maxReplicas/],
  ['a Dapr component has no type', 'type: bindings.cron', 'kind: bindings.cron', /Component .*(type|kind)/],
  [
    'a number stands where a text belongs',
    'lagThreshold: "100"',
    'lagThreshold: 100',
    /ScaledObject.*lagThreshold/,
  ],
])('the schemas find that %s', (_, from, to, message) => {
  const edited = yaml.replace(from, to)
  expect(edited).not.toBe(yaml)
  expect(nonConforming(edited, { skip: ['KafkaTopic'] }).join('\n')).toMatch(message)
})
