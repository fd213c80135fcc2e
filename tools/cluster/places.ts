import { join } from 'node:path'

/** All that the cluster needs and makes lies here. Other users may pass it, because PostgreSQL runs as one. */
export const FOLDER = '/var/cache/daybook-cluster'

export const place = (...parts: readonly string[]): string => join(FOLDER, ...parts)
export const program = (name: string): string => place('bin', name)

/** What `kubectl` and Helm need to reach it as its administrator. */
export const KUBECONFIG = place('certificates', 'admin.kubeconfig')
export const CONTAINERD = place('run', 'containerd.sock')

/** The network of the cluster lives on one bridge; nothing is forwarded between it and other links. */
export const NETWORK = {
  bridge: 'daybook0',
  node: '10.88.0.1',
  pods: '10.88.0.0/16',
  firstPod: '10.88.1.1',
  services: '10.96.0.0/16',
  apiService: '10.96.0.1',
  dnsService: '10.96.0.10',
  /** Where clients come in: Kourier. */
  gateway: '10.96.0.80',
} as const

export const NODE_NAME = 'node'
export const API_SERVER = { host: NETWORK.node, port: 7443 } as const

/** Images are in no registry: they are made here and put into the node, under names that Knative asks no registry for. */
export const image = (name: string): string => `dev.local/${name}:1`
