import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { parseResiliency, type Resiliency } from './resiliency.ts'

const Entry = z.object({
  name: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  envRef: z.string().optional(),
  secretKeyRef: z.object({ name: z.string(), key: z.string().optional() }).optional(),
})

const ComponentDocument = z.object({
  kind: z.literal('Component'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    type: z.string(),
    version: z.string().default('v1'),
    metadata: z.array(Entry).default([]),
  }),
  auth: z.object({ secretStore: z.string() }).optional(),
  scopes: z.array(z.string()).default([]),
})

type MetadataEntry = z.infer<typeof Entry>

/** A Dapr component file. `scopes` empty means every app may use it. */
export interface Component {
  readonly name: string
  readonly type: string
  readonly version: string
  readonly scopes: readonly string[]
  readonly metadata: readonly MetadataEntry[]
}

export interface Resources {
  readonly components: readonly Component[]
  readonly resiliency: Resiliency
}

/**
 * Reads the Dapr resource files (`*.yaml`, several documents each) at the top level of a directory. Subdirectories
 * are not read, as by `daprd --resources-path`. Kinds the embedded sidecar has no use for are skipped. Throws when a
 * file is not valid or names a policy that does not exist, which daprd would accept silently.
 */
export async function readResources(directory: string): Promise<Resources> {
  const names = (await readdir(directory)).filter((name) => /\.ya?ml$/.test(name)).toSorted()
  return parseResources(
    await Promise.all(
      names.map(async (file) => ({ file, text: await readFile(join(directory, file), 'utf8') })),
    ),
  )
}

export function parseResources(files: readonly { file: string; text: string }[]): Resources {
  const components: Component[] = []
  const resiliencies: unknown[] = []
  for (const { file, text } of files) {
    for (const document of parseAllDocuments(text)) {
      if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`)
      const content: unknown = document.toJS()
      const kind = z.object({ kind: z.string() }).safeParse(content).data?.kind
      if (kind === 'Component') components.push(parseComponent(file, content))
      if (kind === 'Resiliency') resiliencies.push(content)
    }
  }
  const names = components.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw new Error(`two components are named ${twice}`)
  return { components, resiliency: parseResiliency(resiliencies) }
}

function parseComponent(file: string, content: unknown): Component {
  const parsed = ComponentDocument.safeParse(content)
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`)
  const { metadata, spec, scopes } = parsed.data
  return { name: metadata.name, type: spec.type, version: spec.version, scopes, metadata: spec.metadata }
}

export function componentsOf(resources: Resources, appId: string): readonly Component[] {
  return resources.components.filter(({ scopes }) => scopes.length === 0 || scopes.includes(appId))
}

/**
 * The resources of one sidecar that stands for several apps, as the embedded one stands for all units of its process:
 * the components that any of them may use, open to whatever app-id the sidecar has.
 */
export function resourcesForApps(resources: Resources, appIds: readonly string[]): Resources {
  const usable = new Set(appIds.flatMap((appId) => componentsOf(resources, appId)))
  const components = resources.components.filter((component) => usable.has(component))
  return { ...resources, components: components.map((component) => ({ ...component, scopes: [] })) }
}

/**
 * A component's metadata value, or undefined. Values by `envRef` come from `env`. Secrets by `secretKeyRef` are not
 * looked up: the embedded sidecar needs none of them.
 */
export function metadataValue(component: Component, name: string, env: Environment): string | undefined {
  // Dapr matches the names of metadata without regard to case.
  const entry = component.metadata.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase())
  if (entry?.value !== undefined) return String(entry.value)
  return entry?.envRef === undefined ? undefined : (env[entry.envRef] ?? '')
}

export type Environment = Readonly<Record<string, string | undefined>>
