import { stringify } from 'yaml'
import { run, type RunOptions } from './command.ts'
import { KUBECONFIG, program } from './places.ts'

const AS_ADMIN = { KUBECONFIG }

/** Resolves with what it printed. */
export const kubectl = async (...args: readonly string[]): Promise<string> =>
  await run(program('kubectl'), args, { env: AS_ADMIN })

export const kubectlWith = async (options: RunOptions, ...args: readonly string[]): Promise<string> =>
  await run(program('kubectl'), args, { ...options, env: AS_ADMIN })

export interface Resource {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  spec?: unknown
  data?: Record<string, string>
  [field: string]: unknown
}

/** Namespaces and definitions of resources come first, and the server knows them before it gets the others. */
export async function apply(resources: readonly Resource[]): Promise<void> {
  const isFirst = ({ kind }: Resource) => kind === 'Namespace' || kind === 'CustomResourceDefinition'
  const first = resources.filter(isFirst)
  await send(first)
  const definitions = first.filter(({ kind }) => kind === 'CustomResourceDefinition')
  if (definitions.length > 0) {
    const names = definitions.map(({ metadata }) => `crd/${metadata.name}`)
    await kubectl('wait', '--for=condition=Established', '--timeout=60s', ...names)
  }
  await send(resources.filter((resource) => !isFirst(resource)))
}

/** By the server's own merge, because some are larger than the annotation in which kubectl would keep them. */
async function send(resources: readonly Resource[]): Promise<void> {
  if (resources.length === 0) return
  const input = resources.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
  await kubectlWith({ input }, 'apply', '--server-side', '--force-conflicts', '-f', '-')
}

/** Waits until all pods of a workload are as they should be. */
export const rolledOut = async (namespace: string, workload: string, limitSeconds = 180): Promise<string> =>
  await kubectl('-n', namespace, 'rollout', 'status', workload, `--timeout=${limitSeconds}s`)
