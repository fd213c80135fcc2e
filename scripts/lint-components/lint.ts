import { parseAllDocuments } from 'yaml'
import { lintComponent, readComponent } from './components.ts'
import { lintSet, lintVariant } from './component-set.ts'
import { lintConfiguration } from './configuration.ts'
import { about, record, text, type Finding, type Resource } from './finding.ts'
import { lintResiliency } from './resiliency.ts'

export interface ResourceFile {
  /** Below dapr/: components/… is one set, each of variants/… takes the place of one of it, configuration/… stands alone. */
  file: string
  text: string
}

const KINDS = ['Component', 'Configuration', 'Resiliency']

/** Everything that Dapr would take without a word and then do otherwise. */
export function lintFiles(files: readonly ResourceFile[]): Finding[] {
  const read = files.map(readFile)
  const resources = read.flatMap((result) => result.resources)
  const within = (folder: string, kind: string) =>
    resources.filter((resource) => resource.file.startsWith(`${folder}/`) && resource.kind === kind)
  const defaults = within('components', 'Component').map(readComponent)
  const variants = within('variants', 'Component').map(readComponent)
  const loaded = resources.filter(({ file }) => file.startsWith('components/'))
  return [
    ...read.flatMap((result) => result.findings),
    ...[...defaults, ...variants].flatMap((component) => lintComponent(component)),
    ...lintSet(loaded, defaults),
    ...variants.flatMap((variant) => lintVariant(variant, defaults)),
    ...lintResiliency(within('components', 'Resiliency'), defaults),
    ...resources
      .filter(({ kind }) => kind === 'Configuration')
      .flatMap((resource) => lintConfiguration(resource)),
    ...resources.filter(isOverlooked).map((resource) => about(resource, ...OVERLOOKED)),
  ]
}

/** daprd reads the first document of such a file and no further, where it reads all of a file of components. */
const isOverlooked = ({ kind, position }: Resource): boolean =>
  position > 0 && (kind === 'Resiliency' || kind === 'Configuration')

const OVERLOOKED: [problem: string, remedy: string] = [
  'is not the first of its file, and Dapr reads no further',
  'give it a file of its own',
]

function readFile({ file, text: yaml }: ResourceFile): { resources: Resource[]; findings: Finding[] } {
  const resources: Resource[] = []
  const findings: Finding[] = []
  for (const [position, document] of parseAllDocuments(yaml).entries()) {
    const fault = document.errors[0]?.message.split('\n')[0]
    const content = fault === undefined ? record(document.toJS()) : {}
    const resource = {
      file,
      position,
      kind: text(content['kind']) || 'document',
      name: text(record(content['metadata'])['name']),
      content,
    }
    if (fault !== undefined) findings.push(about(resource, `is no YAML: ${fault}`, 'correct the text'))
    else if (!KINDS.includes(resource.kind)) {
      findings.push(
        about(
          resource,
          'is of a kind that Dapr skips or Daybook does not use',
          `use one of ${KINDS.join(', ')}`,
        ),
      )
    } else if (resource.name === '') {
      findings.push(about(resource, 'has no metadata.name', 'name it'))
    } else resources.push(resource)
  }
  return { resources, findings }
}
