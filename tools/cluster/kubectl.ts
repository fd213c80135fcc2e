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
  spec?: any
  data?: Record<string, string>
  [field: string]: unknown
}

/** By the server's own merge, because definitions of resources are larger than kubectl's annotation may be. */
export async function apply(resources: readonly Resource[]): Promise<void> {
  const input = resources.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
  await kubectlWith({ input }, 'apply', '--server-side', '--force-conflicts', '-f', '-')
}

/** Waits until all pods of a workload are as they should be. */
export const rolledOut = async (namespace: string, workload: string, limitSeconds = 180): Promise<string> =>
  await kubectl('-n', namespace, 'rollout', 'status', workload, `--timeout=${limitSeconds}s`)
