/** Writes what is derived from the code: docs/openapi.json, docs/events/, functions/routes.ts, dapr.yaml. With --check it only compares. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import { functionNames, loadFunctions } from '../functions/main.ts'
import type { Deps } from '../shared/app/ports.ts'
import type { AppEnv } from '../shared/kit/base-app.ts'
import { eventSchemas } from '../shared/kit/event-schemas.ts'
import { openApiDocument, type NamedHttpFunction } from '../shared/kit/openapi.ts'
import { unitOf } from '../shared/kit/units.ts'
import { loadUnits } from './load-units.ts'
import { runTemplate } from './self-hosted/run-template.ts'
import packageJson from '../package.json' with { type: 'json' }

const EVENTS = 'docs/events'
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Path to content of every generated file. */
async function generatedFiles(): Promise<Map<string, string>> {
  const names = functionNames()
  const functions = await loadFunctions(names)
  // The pages of functions/web are for people; the document describes the API.
  const documented = names.flatMap((name, index) => {
    const fn = functions[index]
    return fn?.kind === 'http' && fn.spec && !name.startsWith('web/') ? [{ name, fn }] : []
  })
  return new Map([
    ['functions/routes.ts', routeTable(documented)],
    ['dapr.yaml', runTemplate(await loadUnits())],
    ['docs/openapi.json', json(openApiDocument(documented, packageJson.version))],
    ...Object.entries(eventSchemas()).map(
      ([type, schema]) => [`${EVENTS}/${type}.schema.json`, json(schema)] as const,
    ),
  ])
}

/** Which unit serves what, for the gateway: all that is in the document, aliases included, and nothing else. */
function routeTable(documented: readonly NamedHttpFunction[]): string {
  const lines = documented.flatMap(({ name, fn }) => {
    const unit = unitOf({ name, kind: fn.kind })
    const app = new Hono<AppEnv>()
    fn.mount(app, {} as Deps)
    // What a function mounts for ALL methods goes before its answer, and is the unit's own affair.
    const routes = unit === null ? [] : app.routes.filter(({ method }) => method !== 'ALL')
    return routes.map(({ method, path }) => `  '${method} ${path}': '${unit}',\n`)
  })
  return `// Generated from the functions by \`npm run generate\`; not to be edited.

/** Route to the unit that serves it (shared/kit/units.ts), in the order in which the functions are mounted. */
export const ROUTES: Readonly<Record<string, string>> = {
${lines.join('')}}
`
}

const read = (path: string): string | null => {
  try {
    return readFileSync(at(path), 'utf8')
  } catch {
    return null // not there yet
  }
}

const files = await generatedFiles()
mkdirSync(at(EVENTS), { recursive: true })
const orphans = readdirSync(at(EVENTS))
  .map((file) => `${EVENTS}/${file}`)
  .filter((path) => !files.has(path))
const stale = [...files].filter(([path, content]) => read(path) !== content).map(([path]) => path)

if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path} is not what the code says; run npm run generate.`)
  for (const path of orphans) console.error(`${path} describes an event that does not exist any more.`)
  process.exitCode = stale.length + orphans.length > 0 ? 1 : 0
} else {
  for (const path of stale) writeFileSync(at(path), files.get(path) ?? '')
  for (const path of orphans) rmSync(at(path))
  console.log(`${files.size} generated files, ${stale.length} written, ${orphans.length} removed.`)
}
