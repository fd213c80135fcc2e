import { readdirSync } from 'node:fs'
import type { DaybookFunction } from '../shared/kit/mount-functions.ts'

const HERE = new URL('./', import.meta.url)

/** `<service>/<function>` of every function file, sorted. */
export function functionNames(): string[] {
  return readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /^[^/]+\/[^/]+\.ts$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .toSorted()
}

/** Imports the named functions; a name that is not a function stops the process with the list of those that are. */
export async function loadFunctions(names: readonly string[] = functionNames()): Promise<DaybookFunction[]> {
  const known = new Set(functionNames())
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new Error(`No such function: ${unknown.join(', ')}. There are: ${[...known].join(', ')}.`)
  }
  return Promise.all(
    names.map(async (name) => ((await import(`./${name}.ts`)) as { default: DaybookFunction }).default),
  )
}
