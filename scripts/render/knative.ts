import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { template } from '../../tools/k8s/helm.ts'
import { isBuilt } from '../../tools/k8s/programs.ts'
import { header } from './generated.ts'

const NAMESPACE = 'daybook'
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/**
 * What the charts make of their default values, for `kubectl apply -f knative/` and `kn service apply`: in the order in
 * which it is to be applied, a Knative Service to a file. Null where Helm is not built.
 */
export function knativeFiles(): [path: string, content: string][] | null {
  if (!isBuilt('helm')) return null
  const platform = documentsOf('daybook-platform')
  const units = documentsOf('daybook')
  const services = units.filter(
    ({ kind, apiVersion }) => kind === 'Service' && apiVersion.startsWith('serving.'),
  )
  const migration = units.filter(({ name }) => name === 'daybook-migration')
  const others = units.filter((each) => !services.includes(each) && !migration.includes(each))
  return [
    fileOf('10-platform', platform),
    fileOf('20-migration', migration),
    fileOf('30-units', others),
    ...services.map((service) => fileOf(`40-${service.name}`, [service])),
  ]
}

interface Rendered {
  text: string
  apiVersion: string
  kind: string
  name: string
}

function documentsOf(chart: string): Rendered[] {
  const texts = template({ name: chart, chart: at(`charts/${chart}`), namespace: NAMESPACE }).split(/^---$/m)
  return texts.flatMap((text) => {
    const document = parse(text) as { apiVersion: string; kind: string; metadata: { name: string } } | null
    if (document === null) return []
    const { apiVersion, kind, metadata } = document
    return [{ text: text.trim(), apiVersion, kind, name: metadata.name }]
  })
}

const fileOf = (name: string, documents: readonly Rendered[]): [string, string] => [
  `knative/${name}.yaml`,
  `${header('charts/ with their default values')}${documents.map(({ text }) => `---\n${text}\n`).join('')}`,
]
