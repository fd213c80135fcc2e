import { readdirSync } from 'node:fs'
import type { DaybookFunction } from '../shared/kit/mount-functions.ts'
import { failToStart } from '../shared/kit/process.ts'
import { isEverywhere } from '../shared/kit/units.ts'
import { startUnit } from './start-unit.ts'

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
  await startUnit(async () => {
    const [{ serveUnit }, functions] = await Promise.all([import('./serve-unit.ts'), loadFunctions(names)])
    return { serveUnit, functions }
  }).catch(failToStart)
}
