import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Resource } from './kubectl.ts'
import { image } from './places.ts'

/** A container in a pod template, as far as it is changed here. */
interface Container {
  image: string
  imagePullPolicy?: string
  resources?: { requests?: Record<string, string> }
  readinessProbe?: { initialDelaySeconds?: number; periodSeconds?: number }
}

interface Workload {
  replicas?: number
  template?: { spec: { containers: Container[] } }
}

/** What stands in files, or in all YAML files of folders. */
export function resourcesIn(...paths: readonly string[]): Resource[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return parseResources(readFileSync(path, 'utf8'))
    const files = readdirSync(path).filter((file) => file.endsWith('.yaml'))
    return files.toSorted().flatMap((file) => parseResources(readFileSync(join(path, file), 'utf8')))
  })
}

export const parseResources = (yaml: string): Resource[] =>
  parseAllDocuments(yaml).flatMap((document) => {
    const resource = document.toJS() as Resource | null
    return resource?.kind === undefined ? [] : [resource]
  })

/**
 * For one node of two cores, with images of its own: the program that `programOf` reads from the name of an image, little
 * processor time, and no wait before the first probe.
 */
export function forThisNode(resource: Resource, programOf: (image: string) => string): Resource {
  const workload = resource.spec as Workload | undefined
  for (const container of workload?.template?.spec.containers ?? []) {
    container.image = image(programOf(container.image))
    container.imagePullPolicy = 'IfNotPresent'
    if (container.resources?.requests?.['cpu'] !== undefined) container.resources.requests['cpu'] = '20m'
    if (container.readinessProbe) {
      container.readinessProbe.initialDelaySeconds = 0
      container.readinessProbe.periodSeconds = 1
    }
  }
  return resource
}
