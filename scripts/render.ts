/** Writes everything that follows from the functions (`npm run render`). With --check it only compares. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../shared/arguments.ts'
import { eventSchemas } from '../shared/openapi/event-schemas.ts'
import { openApiDocument } from '../shared/openapi/openapi.ts'
import { chartComponents } from './render/chart-components.ts'
import { clientTypes } from './render/client-types.ts'
import { daprResources } from './render/dapr-resources.ts'
import { chartTable, functionDocs } from './render/function-table.ts'
import { json } from './render/generated.ts'
import { knativeFiles } from './render/knative.ts'
import { mcpTools } from './render/mcp-tools.ts'
import { featureTable, routeTable } from './render/routes.ts'
import { runTemplate } from './render/run-template.ts'
import { readCode } from './render/units.ts'
import packageJson from '../package.json' with { type: 'json' }

/** Folders in which every file is generated: what is there besides is left over. */
const FOLDERS = [
  'dapr/components',
  'dapr/components-redis',
  'dapr/configuration',
  'dapr/variants',
  'docs/events',
]
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** What a service is for: the first paragraph of its README.md, where it has one. */
function about(service: string): string {
  const readme = at(`functions/${service}/README.md`)
  if (!existsSync(readme)) return `Functions of ${service}`
  return readFileSync(readme, 'utf8').trim().split('\n\n')[0]!.replaceAll('\n', ' ').replace(/\.$/, '')
}

/** Path to content of every generated file. */
async function generatedFiles(): Promise<Map<string, string>> {
  const code = await readCode()
  // The pages of functions/web are for people; the document describes the API.
  const documented = code.functions.flatMap((fn) =>
    fn.kind === 'http' && !fn.name.startsWith('web/') ? [fn] : [],
  )
  const dapr = daprResources(code)
  const table = chartTable(code)
  const document = openApiDocument(documented, packageJson.version, about)
  const lastTemplate = read('dapr.yaml') ?? ''
  return new Map([
    ...dapr,
    ...withVariant(dapr, 'pubsub-redis'),
    ['dapr.yaml', runTemplate(code, { name: 'Kafka', components: 'dapr/components' }, lastTemplate)],
    [
      'dapr-redis.yaml',
      runTemplate(code, { name: 'Redis', components: 'dapr/components-redis' }, lastTemplate),
    ],
    ['functions/routes.ts', routeTable(code)],
    ['functions/features.ts', featureTable(code)],
    ['charts/daybook/files/functions.yaml', table],
    ['charts/daybook-platform/files/functions.yaml', table],
    ['charts/daybook-platform/files/components.yaml', chartComponents(code)],
    ['docs/functions.md', functionDocs(code, about)],
    ['docs/mcp-tools.json', mcpTools(code, packageJson.version)],
    ['docs/openapi.json', json(document)],
    ['web/client/api.ts', clientTypes(document)],
    ...Object.entries(eventSchemas()).map(([type, schema]): [string, string] => [
      `docs/events/${type}.schema.json`,
      json(schema),
    ]),
  ])
}

/** The components with a variant in the place of the default one: Dapr would load both if they lay in one folder. */
function withVariant(files: readonly [string, string][], variant: string): [string, string][] {
  const [name = ''] = variant.split('-')
  const folder = 'dapr/components'
  return files.flatMap(([path, content]): [string, string][] => {
    if (path === `dapr/variants/${variant}.yaml`) return [[`${folder}-redis/${variant}.yaml`, content]]
    if (!path.startsWith(`${folder}/`) || path === `${folder}/${name}.yaml`) return []
    return [[path.replace(folder, `${folder}-redis`), content]]
  })
}

const read = (path: string): string | null => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : null)

const filesIn = (folder: string): string[] =>
  existsSync(at(folder))
    ? readdirSync(at(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath.slice(at('').length)}/${entry.name}`)
    : []

const { check: isCheck } = readArguments('npm run render [-- --check]', {
  options: { check: { type: 'boolean', default: false } },
}).values
let written = 0
let removed = 0

/** Brings these files to their contents and removes others of their folders, or says what differs. */
function bring(files: ReadonlyMap<string, string>, folders: readonly string[]): void {
  const orphans = folders.flatMap(filesIn).filter((path) => !files.has(path))
  const stale = [...files].filter(([path, content]) => read(path) !== content).map(([path]) => path)
  if (isCheck) {
    for (const path of stale) console.error(`${path} is not what the functions say; run npm run render.`)
    for (const path of orphans) console.error(`${path} belongs to nothing any more; run npm run render.`)
    if (stale.length + orphans.length > 0) process.exitCode = 1
    return
  }
  for (const path of stale) {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), files.get(path) ?? '')
  }
  for (const path of orphans) rmSync(at(path))
  written += stale.length
  removed += orphans.length
}

const files = await generatedFiles()
bring(files, FOLDERS)
// Of the charts, whose tables are there now.
const manifests = knativeFiles()
if (manifests) bring(new Map(manifests), ['knative'])
else
  console.log(
    `knative/ is ${isCheck ? 'not checked' : 'left as it is'}: Helm is not built yet; run npm run k8s:build.`,
  )
if (!isCheck) {
  console.log(
    `${files.size + (manifests?.length ?? 0)} generated files, ${written} written, ${removed} removed.`,
  )
}
