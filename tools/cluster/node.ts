import { mkdirSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { certificate, kubeconfig } from './certificates.ts'
import { run, runNow, succeeds } from './command.ts'
import { startDaemon, stopDaemon, isRunning } from './daemon.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVER, CONTAINERD, image, NETWORK, NODE_NAME, place, program } from './places.ts'
import { NETWORK_PLUGINS } from './requirements.ts'

const ETCD = { client: 'http://127.0.0.1:12379', peer: 'http://127.0.0.1:12380' }

export const containers = (...args: readonly string[]): string[] => [
  '-a',
  CONTAINERD,
  '-n',
  'k8s.io',
  ...args,
]

export async function startContainerd(): Promise<void> {
  mkdirSync(place('settings'), { recursive: true })
  writeFileSync(place('settings', 'containerd.toml'), containerdSettings)
  await startDaemon({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', place('settings', 'containerd.toml')],
    isReady: async () => (await run('ctr', containers('version'))) !== '',
  })
}

// Without CAP_SYS_RESOURCE, as in a container, runc dies where a lower oom score is asked for: hence restrict_oom_score_adj.
const containerdSettings = `version = 2
root = "${place('containerd', 'root')}"
state = "${place('containerd', 'state')}"
[grpc]
  address = "${CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${image('pause')}"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${NETWORK_PLUGINS}"
    conf_dir = "${place('network')}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
[plugins."io.containerd.internal.v1.opt"]
  path = "${place('containerd', 'opt')}"
`

export async function startControlPlane(): Promise<void> {
  await startDaemon({
    name: 'etcd',
    command: program('etcd'),
    args: flags({
      'data-dir': place('etcd'),
      'unsafe-no-fsync': true,
      'listen-client-urls': ETCD.client,
      'advertise-client-urls': ETCD.client,
      'listen-peer-urls': ETCD.peer,
      'initial-advertise-peer-urls': ETCD.peer,
      'initial-cluster': `default=${ETCD.peer}`,
    }),
    isReady: async () => (await fetch(`${ETCD.client}/health`)).ok,
  })
  await startDaemon({
    name: 'apiserver',
    command: program('kube-apiserver'),
    args: flags({
      'etcd-servers': ETCD.client,
      'bind-address': API_SERVER.host,
      'advertise-address': API_SERVER.host,
      'secure-port': API_SERVER.port,
      'allow-privileged': true,
      'authorization-mode': 'Node,RBAC',
      'service-cluster-ip-range': NETWORK.services,
      'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
      'service-account-key-file': certificate('accounts.pub'),
      'service-account-signing-key-file': certificate('accounts.key'),
      'tls-cert-file': certificate('apiserver.crt'),
      'tls-private-key-file': certificate('apiserver.key'),
      'client-ca-file': certificate('ca.crt'),
      'kubelet-client-certificate': certificate('apiserver-kubelet.crt'),
      'kubelet-client-key': certificate('apiserver-kubelet.key'),
      'kubelet-certificate-authority': certificate('ca.crt'),
      'kubelet-preferred-address-types': 'InternalIP',
      // For KEDA's metrics, which are an API behind this one.
      'requestheader-client-ca-file': certificate('front-ca.crt'),
      'requestheader-allowed-names': 'front-proxy',
      'requestheader-username-headers': 'X-Remote-User',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'proxy-client-cert-file': certificate('front-proxy.crt'),
      'proxy-client-key-file': certificate('front-proxy.key'),
      'enable-aggregator-routing': true,
      profiling: false,
    }),
    isReady: async () => (await kubectl('get', '--raw', '/readyz')) === 'ok',
  })
  const alone = { 'leader-elect': false, 'bind-address': '127.0.0.1' }
  await Promise.all([
    startDaemon({
      name: 'controller-manager',
      command: program('kube-controller-manager'),
      args: flags({
        ...alone,
        kubeconfig: kubeconfig('controller-manager'),
        'use-service-account-credentials': true,
        'root-ca-file': certificate('ca.crt'),
        'service-account-private-key-file': certificate('accounts.key'),
        'cluster-signing-cert-file': certificate('ca.crt'),
        'cluster-signing-key-file': certificate('ca.key'),
        'allocate-node-cidrs': false,
        'horizontal-pod-autoscaler-sync-period': '5s',
      }),
      isReady: async () => (await kubectl('-n', 'default', 'get', 'serviceaccount', 'default')) !== '',
    }),
    startDaemon({
      name: 'scheduler',
      command: program('kube-scheduler'),
      args: flags({ ...alone, kubeconfig: kubeconfig('scheduler') }),
      isReady: async () => await Promise.resolve(isRunning('scheduler')),
    }),
  ])
}

export async function startNode(): Promise<void> {
  writeFileSync(place('settings', 'resolv.conf'), 'nameserver 127.0.0.1\n')
  writeFileSync(place('settings', 'kubelet.yaml'), stringify(kubeletSettings))
  writeFileSync(place('settings', 'proxy.yaml'), stringify(proxySettings))
  mkdirSync(place('pod-logs'), { recursive: true })
  await startDaemon({
    name: 'kubelet',
    command: program('kubelet'),
    args: flags({
      config: place('settings', 'kubelet.yaml'),
      kubeconfig: kubeconfig('kubelet'),
      'root-dir': place('kubelet'),
      'hostname-override': NODE_NAME,
      'node-ip': NETWORK.node,
    }),
    isReady: async () =>
      (await kubectl('wait', '--for=condition=Ready', `node/${NODE_NAME}`, '--timeout=1s')) !== '',
  })
  await startDaemon({
    name: 'proxy',
    command: program('kube-proxy'),
    args: flags({ config: place('settings', 'proxy.yaml') }),
    isReady: async () => (await fetch('http://127.0.0.1:10256/healthz')).ok,
  })
  // kube-proxy enforces no NetworkPolicy; of kube-router nothing but that runs.
  await startDaemon({
    name: 'network-policies',
    command: program('kube-router'),
    args: flags({
      kubeconfig: kubeconfig('admin'),
      'hostname-override': NODE_NAME,
      'run-firewall': true,
      'run-router': false,
      'run-service-proxy': false,
      'run-loadbalancer': false,
      'service-cluster-ip-range': NETWORK.services,
      'health-port': 20244,
      'metrics-port': 0,
      'iptables-sync-period': '30s',
    }),
    isReady: async () => (await fetch('http://127.0.0.1:20244/healthz')).ok,
  })
}

const kubeletSettings = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: NETWORK.node,
  healthzBindAddress: '127.0.0.1',
  readOnlyPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: certificate('ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: certificate('kubelet-server.crt'),
  tlsPrivateKeyFile: certificate('kubelet-server.key'),
  containerRuntimeEndpoint: `unix://${CONTAINERD}`,
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  resolvConf: place('settings', 'resolv.conf'),
  clusterDNS: [NETWORK.dnsService],
  clusterDomain: 'cluster.local',
  // Images cannot be fetched again.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  imageMinimumGCAge: '24h',
  evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1%' },
  maxPods: 200,
  serializeImagePulls: false,
  syncFrequency: '10s',
  podLogsDir: place('pod-logs'),
}

const proxySettings = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'iptables',
  bindAddress: '127.0.0.1',
  healthzBindAddress: '127.0.0.1:10256',
  metricsBindAddress: '127.0.0.1:10249',
  clusterCIDR: NETWORK.pods,
  hostnameOverride: NODE_NAME,
  nodePortAddresses: ['127.0.0.0/8'],
  clientConnection: { kubeconfig: kubeconfig('proxy') },
  conntrack: { maxPerCore: 0 },
}

/** Ends what this file has started, containers first, and takes away what they have mounted. */
export async function stopNode(): Promise<void> {
  for (const name of ['network-policies', 'kubelet', 'proxy', 'scheduler', 'controller-manager']) {
    await stopDaemon(name)
  }
  if (isRunning('containerd')) {
    const list = (kind: string) =>
      runNow('ctr', containers(kind, 'ls', '-q'))
        .split('\n')
        .filter(Boolean)
    for (const task of list('tasks')) succeeds('ctr', containers('tasks', 'rm', '-f', task))
    for (const container of list('containers')) succeeds('ctr', containers('containers', 'rm', container))
  }
  for (const name of ['apiserver', 'etcd', 'containerd']) await stopDaemon(name)
}

const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)
