import { parseAllDocuments } from 'yaml'

/** As it comes out of YAML; rules ask for what they expect and find undefined where it is not. */
// eslint-disable-next-line typescript/no-explicit-any -- a document of any kind
export type Manifest = any

/** All that both charts send to the cluster. */
export interface Manifests {
  all: Manifest[]
  table: Table
  /** Which apps there are: `granularity`. */
  apps: readonly App[]
}

/** An entry of files/functions.yaml. */
export interface Table {
  units: Record<string, UnitEntry>
  apps: Record<'unit' | 'function', App[]>
  topics: Record<string, { partitions: number; retentionDays: number }>
}

export interface App {
  app: string
  unit: string
  functions: string[]
}

interface UnitEntry {
  scaling: {
    kind: 'knative' | 'keda' | 'deployment'
    min: number
    triggers: { type: string; topic?: string; query?: string; start?: string }[]
  }
  public: boolean
  called: boolean
  receives: boolean
  jobs: boolean
  components: string[]
  api: string[]
  secrets: string[]
  egress: string[]
  functions: Record<string, FunctionEntry>
}

interface FunctionEntry {
  kind: 'http' | 'routes' | 'topic' | 'job' | 'cron'
  topics?: string[]
  binding?: string
  path?: string
  schedule?: string
  wakesOn?: string | null
}

export const parseManifests = (...texts: readonly string[]): Manifest[] =>
  texts.flatMap((text) => parseAllDocuments(text).flatMap((document): Manifest[] => document.toJS() ?? []))

export const ofKind = ({ all }: Manifests, kind: string, group = ''): Manifest[] =>
  all.filter((each) => each.kind === kind && String(each.apiVersion).startsWith(group))

export const named = (manifests: Manifests, kind: string, name: string, group = ''): Manifest =>
  ofKind(manifests, kind, group).find((each) => each.metadata.name === name)

/** What runs an app: its Knative Service or its Deployment. */
export const workloadOf = (manifests: Manifests, { app }: App): Manifest =>
  named(manifests, 'Service', app, 'serving.') ?? named(manifests, 'Deployment', app)

/** Every pod that is made, whoever makes it: `where` for messages. */
export const podsOf = (
  manifests: Manifests,
): { where: string; annotations: Record<string, string>; labels: Record<string, string>; spec: Manifest }[] =>
  manifests.all.flatMap((each) => {
    const template = each.spec?.template
    if (!template?.spec?.containers) return []
    const where = `${each.kind} ${each.metadata.name}`
    return [
      {
        where,
        annotations: template.metadata?.annotations ?? {},
        labels: template.metadata?.labels ?? {},
        spec: template.spec,
      },
    ]
  })

/** The functions that an app runs, named in the message about it. */
export function functionsOf(
  { table }: Manifests,
  { unit, functions }: App,
): [name: string, fn: FunctionEntry][] {
  const all = Object.entries(table.units[unit]?.functions ?? {})
  return functions.length === 0 ? all : all.filter(([name]) => functions.includes(name))
}
