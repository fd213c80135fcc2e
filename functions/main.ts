import { readdirSync } from 'node:fs'
import { installHttp } from '../shared/dapr/http.ts'
import type { DaybookFunction } from '../shared/kit/mount-functions.ts'
import { failToStart } from '../shared/kit/process.ts'
import { isEverywhere } from '../shared/kit/units.ts'

const HERE = new URL('./', import.meta.url)
/** `<service>/<function>` of every function file, sorted. */
export function functionNames(): string[] {
  return readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /^[^/]+\/[^/]+\.ts$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .toSorted()
}

/** Imports the named functions and tells each its name, the path of its file; a name that is not a function stops the process with the list of those that are. */
export async function loadFunctions(names: readonly string[] = functionNames()): Promise<DaybookFunction[]> {
  const known = new Set(functionNames())
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new Error(`No such function: ${unknown.join(', ')}. There are: ${[...known].join(', ')}.`)
  }
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(/* @vite-ignore */ `./${name}.ts`)) as { default: DaybookFunction }
      return Object.assign(module.default, { name })
    }),
  )
}

// A deployed unit: `node functions/main.ts <service/function>…`. Without names it is all of them.
if (import.meta.main) {
  const given = process.argv.slice(2)
  const everywhere = functionNames().filter((name) => isEverywhere({ name }))
  const names = given.length > 0 ? [...new Set([...given, ...everywhere])] : functionNames()
  // First: what is loaded after it finds the fetch of this process, and not another to load.
  installHttp()
  try {
    const { serveUnit } = await import('./serve-unit.ts')
    await serveUnit(await loadFunctions(names))
  } catch (error) {
    failToStart(error)
  }
}
