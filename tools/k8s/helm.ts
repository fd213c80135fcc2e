import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { ProgramError } from '../program-error.ts'
import { program } from './programs.ts'

export interface Release {
  name: string
  /** Folder of the chart. */
  chart: string
  namespace: string
  /** Files of values, the last one first of all. */
  values?: readonly string[]
  /** As `expose.host=a`. */
  settings?: readonly string[]
  /** Of the cluster, for what speaks to one. */
  kubeconfig?: string
}

/** What an installation would send to the cluster; the definitions of resources that the chart brings with it, too. */
export const template = (release: Release): string =>
  helm('template', release, [release.name, release.chart, '--include-crds'])

/** Installs the release, or makes a new revision of it; returns when its hooks have run and its Deployments are ready. */
export const upgrade = async (release: Release): Promise<string> =>
  await helmBeside('upgrade', release, [
    release.name,
    release.chart,
    '--install',
    '--wait=legacy',
    '--timeout=5m',
  ])

/** Back to the revision before, with its values. */
export const rollback = async ({ name, ...release }: Release): Promise<string> =>
  await helmBeside('rollback', { ...release, values: [], settings: [] }, [
    name,
    '--wait=legacy',
    '--timeout=5m',
  ])

/** Throws what Helm has against a chart. It takes a template that fails for a warning, so render it, too. */
export const lint = (release: Release): string => helm('lint', release, [release.chart, '--strict'])

const MAX_OUTPUT = 64 * 1024 * 1024

const helm = (command: string, release: Omit<Release, 'name' | 'chart'>, args: readonly string[]): string =>
  run(lineOf(command, release, args))

/** What Helm prints; throws what it has against it. */
export function run(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program('helm'), args, {
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT,
  })
  if (error) throw error
  if (status !== 0) throw failed(args[0]!, `${stderr.trim()}\n${stdout.trim()}`)
  return stdout
}

/** For commands that wait for a cluster. */
async function helmBeside(
  command: string,
  release: Omit<Release, 'name' | 'chart'>,
  args: readonly string[],
): Promise<string> {
  const line = lineOf(command, release, args)
  const { stdout } = await promisify(execFile)(program('helm'), line, { maxBuffer: MAX_OUTPUT }).catch(
    (cause: Error & { stderr?: string }) => {
      throw failed(command, cause.stderr ?? cause.message)
    },
  )
  return stdout
}

const lineOf = (
  command: string,
  { namespace, values = [], settings = [], kubeconfig }: Omit<Release, 'name' | 'chart'>,
  args: readonly string[],
): string[] => [
  command,
  ...args,
  '--namespace',
  namespace,
  ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
  ...values.flatMap((file) => ['--values', file]),
  ...settings.flatMap((setting) => ['--set', setting]),
]

const failed = (command: string, reason: string): ProgramError =>
  new ProgramError('build.failed', `helm ${command}: ${reason}`)
