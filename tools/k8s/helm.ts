import { spawnSync } from 'node:child_process'
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
}

/** What an installation would send to the cluster. */
export const template = (release: Release): string => helm('template', release, [release.name, release.chart])

/** Throws what Helm has against a chart. It takes a template that fails for a warning, so render it, too. */
export const lint = (release: Release): string => helm('lint', release, [release.chart, '--strict'])

function helm(
  command: string,
  { namespace, values = [], settings = [] }: Release,
  args: readonly string[],
): string {
  return run([
    command,
    ...args,
    '--namespace',
    namespace,
    ...values.flatMap((file) => ['--values', file]),
    ...settings.flatMap((setting) => ['--set', setting]),
  ])
}

/** What Helm prints; throws what it has against it. */
export function run(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program('helm'), args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error) throw error
  if (status !== 0)
    throw new ProgramError('build.failed', `helm ${args[0]}: ${stderr.trim()}\n${stdout.trim()}`)
  return stdout
}
