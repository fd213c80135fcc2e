import { apply, rolledOut, type Resource } from './kubectl.ts'
import { image, NETWORK } from './places.ts'

const namespace = 'kube-system'
const labels = { 'k8s-app': 'kube-dns' }
const rbac = 'rbac.authorization.k8s.io'

/** Names of the cluster; any other does not exist, and no server outside is asked. A server block of its own, because of the order of plugins. */
const Corefile = `cluster.local:53 in-addr.arpa:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa {
        pods insecure
        ttl 5
    }
    cache 5
}
.:53 {
    template IN ANY . {
        rcode NXDOMAIN
    }
}
`

const readable = (apiGroups: string[], resources: string[]) => ({
  apiGroups,
  resources,
  verbs: ['list', 'watch'],
})

const RESOURCES: readonly Resource[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace } },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'system:coredns' },
    rules: [
      readable([''], ['endpoints', 'services', 'pods', 'namespaces']),
      readable(['discovery.k8s.io'], ['endpointslices']),
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:coredns' },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:coredns' },
    subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'coredns', namespace }, data: { Corefile } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: 'coredns',
          dnsPolicy: 'Default',
          containers: [
            {
              name: 'coredns',
              image: image('coredns'),
              args: ['-conf', '/etc/coredns/Corefile'],
              readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
              volumeMounts: [{ name: 'settings', mountPath: '/etc/coredns' }],
            },
          ],
          volumes: [{ name: 'settings', configMap: { name: 'coredns' } }],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace, labels },
    spec: {
      clusterIP: NETWORK.dnsService,
      selector: labels,
      ports: ['UDP', 'TCP'].map((protocol) => ({
        name: `dns-${protocol.toLowerCase()}`,
        port: 53,
        protocol,
      })),
    },
  },
]

export async function installDns(): Promise<void> {
  await apply(RESOURCES)
  await rolledOut(namespace, 'deployment/coredns')
}
