import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { program } from '../../tools/delivery/programs.ts'
import { ROOT } from '../worlds/source-files.ts'

export interface Module {
  path: string
  variables: Record<string, { required: boolean }>
  outputs: Record<string, unknown>
  module_calls: Record<string, { source: string }>
  required_providers: Record<string, { source?: string; version_constraints?: string[] }>
  diagnostics?: { summary: string; detail: string }[]
}

const foldersOf = (pattern: string): string[] =>
  [...new Set(globSync(pattern, { cwd: ROOT }).map((file) => file.replace(/\/[^/]+$/, '')))].toSorted()

export const files = globSync('infrastructure/**/*.tf', { cwd: ROOT }).toSorted()
export const modules = foldersOf('infrastructure/modules/*/*.tf')
export const roots = foldersOf('infrastructure/environments/*/*/*.tf')

/** What Terraform's own reader of modules says of a folder. */
export function inspect(path: string): Module {
  const { stdout, error } = spawnSync(program('terraform-config-inspect'), ['--json', path], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (error) throw error
  return JSON.parse(stdout) as Module
}

/** The arguments that a root gives to a module of its, but for what is Terraform's own. */
export function argumentsOf(root: string, call: string): string[] {
  const text = readFileSync(`${ROOT}${root}/main.tf`, 'utf8')
  const block = new RegExp(`^module "${call}" \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text)?.[1] ?? ''
  return [...block.matchAll(/^ {2}(\w+) +=/gm)].map(([, name]) => name!).filter((name) => name !== 'source')
}
