import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { moduleFolder } from './go-module.ts'
import { strictCore, strictCustom, type Schema } from './strict-schema.ts'

const FOLDER = fileURLToPath(new URL('bin/schemas', import.meta.url))
/** For kubeconform, which fills in what a document is. */
export const SCHEMA_LOCATION = `${FOLDER}/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`

/** The module that has the API of Kubernetes itself, and where in others the definitions of custom resources are. */
const CORE = { module: 'k8s.io/kubernetes@v1.36.3', file: 'api/openapi-spec/swagger.json' }
const CUSTOM: Readonly<Record<string, string>> = {
  'knative.dev/serving@v0.50.0': 'config/core/300-resources',
  'knative.dev/networking@v0.0.0-20260727162500-c7a7b772cac9': 'config',
  'github.com/kedacore/keda/v2@v2.21.0': 'config/crd/bases',
  'github.com/dapr/dapr@v1.18.2': 'charts/dapr/crds',
  'sigs.k8s.io/gateway-api@v1.6.3': 'config/crd/standard',
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': 'example/prometheus-operator-crd',
  'github.com/external-secrets/external-secrets@v1.3.2': 'config/crds/bases',
}

interface Swagger {
  definitions: Record<
    string,
    Schema & { 'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[] }
  >
}

interface Definition {
  kind?: string
  spec: {
    group: string
    names: { kind: string }
    versions: { name: string; schema?: { openAPIV3Schema: Schema } }[]
  }
}

/** Writes a strict JSON schema for each kind, core and custom; does nothing where they are of the same versions. */
export function buildSchemas(say: (line: string) => void): void {
  const source = readFileSync(fileURLToPath(new URL('strict-schema.ts', import.meta.url)), 'utf8')
  const key = createHash('sha256')
    .update(JSON.stringify([CORE, CUSTOM, source]))
    .digest('hex')
  const stamp = join(FOLDER, 'key')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return say('The schemas are built already.')
  const draft = `${FOLDER}.${process.pid}`
  rmSync(draft, { recursive: true, force: true })
  const swagger = JSON.parse(readFileSync(join(moduleFolder(CORE.module), CORE.file), 'utf8')) as Swagger
  let count = 0
  const write = (group: string, kind: string, version: string, schema: Schema) => {
    mkdirSync(join(draft, group), { recursive: true })
    writeFileSync(join(draft, group, `${kind.toLowerCase()}_${version}.json`), JSON.stringify(schema))
    count += 1
  }
  const core = strictCore(swagger.definitions)
  for (const [name, definition] of Object.entries(swagger.definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const schema = core.kind(name, { apiVersion: group === '' ? version : `${group}/${version}`, kind })
      if (schema) write(group === '' ? version : group, kind, version, schema)
    }
  }
  for (const [module, folder] of Object.entries(CUSTOM)) {
    for (const { spec } of definitionsIn(join(moduleFolder(module), folder))) {
      const { group, names, versions } = spec
      for (const { name, schema } of versions) {
        const known = { apiVersion: `${group}/${name}`, kind: names.kind }
        write(group, names.kind, name, core.withMetadata(strictCustom(schema?.openAPIV3Schema ?? {}), known))
      }
    }
  }
  writeFileSync(join(draft, 'key'), key)
  rmSync(FOLDER, { recursive: true, force: true })
  renameSync(draft, FOLDER)
  say(`Built ${count} schemas.`)
}

function definitionsIn(folder: string): Definition[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document) => (document.toJS() ?? {}) as Definition)
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
}
