import type { Component } from './components.ts'
import { about, record, type Finding, type Resource } from './finding.ts'

/** Rules about the components that are loaded together: the files at the top level of dapr/components/. */
export function lintSet(resources: readonly Resource[], components: readonly Component[]): Finding[] {
  return [
    ...lintNames(resources),
    ...components.flatMap((component) => lintSecretStore(component, components)),
  ]
}

function lintNames(resources: readonly Resource[]): Finding[] {
  const seen = new Map<string, Resource>()
  return resources.flatMap((resource) => {
    const key = `${resource.kind} ${resource.name}`
    const first = seen.get(key)
    seen.set(key, first ?? resource)
    if (!first) return []
    return [
      about(
        resource,
        `has the name of one in ${first.file}, and Dapr keeps whichever it reads last`,
        'rename one, or move it to dapr/variants/',
      ),
    ]
  })
}

function lintSecretStore({ resource, entries }: Component, components: readonly Component[]): Finding[] {
  const name = record(resource.content['auth'])['secretStore']
  if (!entries.some(({ usesSecret }) => usesSecret) || typeof name !== 'string') return []
  const store = components.find((component) => component.resource.name === name)
  if (!store?.type.startsWith('secretstores.')) {
    return [about(resource, `takes secrets from ${name}, which is no secret store`, 'name a secret store')]
  }
  return []
}

/** A variant takes the place of the default component of its name: the same family. */
export function lintVariant(variant: Component, defaults: readonly Component[]): Finding[] {
  const { resource, type } = variant
  const replaced = defaults.find((component) => component.resource.name === resource.name)
  if (!replaced)
    return [
      about(resource, 'takes the place of nothing in dapr/components/', 'give it the name it is to replace'),
    ]
  const findings: Finding[] = []
  const [family = ''] = replaced.type.split('.')
  if (!type.startsWith(`${family}.`)) {
    findings.push(about(resource, `is a ${type} in the place of a ${replaced.type}`, 'give it another name'))
  }
  return [...findings, ...lintSecretStore(variant, defaults)]
}
