import { describe, expect, it } from 'vitest'
import { nonConforming } from '../../tools/k8s/kubeconform.ts'
import { renderCharts, type Choice } from './render-charts.ts'
import { breaches } from './rules.ts'

const EXPOSED = ['expose.host=daybook.example.org', 'edge.trustedProxies=10.244.0.0/16']

/** Every file of values, and every switch by itself. */
const CHOICES: Record<string, Choice> = {
  'the default values': {},
  'values-local': { values: 'local' },
  'values-staging': { values: 'staging' },
  'values-production': { values: 'production' },
  'an app for each function': { granularity: 'function' },
  'an app for each function, in production': { values: 'production', granularity: 'function' },
  'an ingress': {
    daybook: [
      ...EXPOSED,
      'expose.ingress.enabled=true',
      'expose.ingress.className=nginx',
      'expose.tlsSecret=tls',
    ],
  },
  'an HTTPRoute': {
    daybook: [...EXPOSED, 'expose.httpRoute.enabled=true', 'expose.httpRoute.gateway=public'],
  },
  'a DomainMapping': { daybook: [...EXPOSED, 'expose.domainMapping.enabled=true', 'expose.tlsSecret=tls'] },
  'a load balancer': {
    daybook: [
      'edge.service.type=LoadBalancer',
      'edge.service.annotations.a=b',
      'edge.ingressNamespaces={a,b}',
    ],
  },
  'an edge that grows': { daybook: ['edge.autoscaling.enabled=true', 'edge.replicas=2'] },
  'an open network': { platform: ['networkPolicy.enabled=false'], daybook: ['networkPolicy.enabled=false'] },
  'no migration': { daybook: ['migration.enabled=false'] },
  'no scaler role': { daybook: ['database.scalerRole='] },
  'no mail relay': { daybook: ['mailRelay.enabled=false'] },
  'an API server to ask for secrets': {
    daybook: ['networkPolicy.apiServer.peers[0].ipBlock.cidr=10.0.0.1/32'],
  },
  'a mail server': { daybook: ['mailRelay.smtp=true'] },
  monitoring: {
    daybook: ['monitoring.podMonitors=true', 'monitoring.rules=true', 'monitoring.labels.release=prometheus'],
  },
  'a registry with a login': { daybook: ['imagePullSecrets[0].name=registry', 'imagePullPolicy=Always'] },
  'an issuer of identities': { daybook: ['env.OIDC_ISSUER=https://id.example.org'] },
  'a Kafka with a login': {
    platform: ['components.pubsub=pubsub-kafka-sasl'],
    daybook: ['kafka.authentication.secret=kafka', 'kafka.authentication.parameters.username=user'],
  },
  'a Kafka with certificates': { platform: ['components.pubsub=pubsub-kafka-tls'] },
  'Event Hubs': { platform: ['components.pubsub=pubsub-event-hubs'] },
  'secrets in Azure': {
    platform: ['components.secretstore=secretstore-azure-keyvault', 'components.mail=mail-resend'],
  },
  'topics by a Job': {
    platform: ['topics.by=job', 'topics.brokers=kafka:9092', 'topics.clientProperties=client'],
  },
  'topics by Strimzi': { platform: ['topics.by=strimzi', 'topics.cluster=kafka'] },
  'Secrets in clear': {
    platform: ['secrets.source=plain', 'secrets.data.daybook-database.url=postgres://a'],
  },
  'External Secrets': {
    platform: [
      'secrets.source=external',
      'secrets.external.store=vault',
      'secrets.data.daybook-database.url=a/b#url',
    ],
  },
  traces: { platform: ['tracing.collector=otel:4317', 'tracing.samplingRate=1'] },
}

describe.each(Object.entries(CHOICES))('the charts with %s', (_, choice) => {
  const { yaml, manifests } = renderCharts(choice)

  it('are what the schemas of Kubernetes and of the custom resources want', () => {
    // Strimzi publishes the schemas of its resources as a Java program.
    expect(nonConforming(yaml, { skip: ['KafkaTopic'] })).toEqual([])
  })

  it('break no rule of this project', () => {
    expect(breaches(manifests)).toEqual([])
  })
})

describe('a value that', () => {
  it.each<[string, Choice, RegExp]>([
    ['nobody knows', { daybook: ['replicas=3'] }, /replicas/],
    ['is misspelt within another', { daybook: ['edge.trustedProxie=10.0.0.0/8'] }, /trustedProxie/],
    ['is of the wrong type', { daybook: ['edge.replicas=many'] }, /edge\/replicas/],
    ['believes everybody', { daybook: ['edge.trustedProxies=0.0.0.0/0'] }, /trustedProxies/],
    ['is a setting of the unit itself', { daybook: ['env.DATABASE_URL=postgres://a'] }, /DATABASE_URL/],
    [
      'names a component that is not there',
      { platform: ['components.mail=mail-pigeon'] },
      /components\.mail: there is no mail-pigeon; there are mail, mail-resend/,
    ],
    [
      'opens two ways',
      { daybook: [...EXPOSED, 'expose.ingress.enabled=true', 'expose.domainMapping.enabled=true'] },
      /expose: ingress and domainMapping are enabled; choose one/,
    ],
    [
      'opens a way without a host',
      { daybook: ['expose.ingress.enabled=true', 'edge.trustedProxies=10.0.0.0/8'] },
      /expose\.host is not set/,
    ],
    [
      'opens a way without saying who is believed',
      { daybook: ['expose.ingress.enabled=true', 'expose.host=a.example'] },
      /edge\.trustedProxies is not set/,
    ],
    ['makes topics nowhere', { platform: ['topics.by=job'] }, /topics\.brokers is not set/],
  ])('%s is refused by its name', (_, choice, message) => {
    expect(() => renderCharts(choice)).toThrow(message)
  })
})
