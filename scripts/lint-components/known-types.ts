import type { Component } from './components.ts'
import generated from './known-types.json' with { type: 'json' }

interface KnownType {
  versions: readonly string[]
  /** Names of spec.metadata; a `*` at the end stands for any rest. */
  metadata: readonly string[]
}

/** Every component type of the pinned Dapr with what it reads; scripts/known-types.ts writes the table. */
const KNOWN_TYPES: Readonly<Record<string, KnownType>> = generated.types

/** What Dapr itself reads of every component of a family, and what its table leaves out. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  'bindings.': ['direction', 'route'],
  'state.': ['keyPrefix', 'outbox*', 'primaryEncryptionKey', 'secondaryEncryptionKey'],
}

const TABLE = 'scripts/lint-components/known-types.ts'

/** What Dapr refuses at start (type, version) or ignores without a word (names of metadata). */
export function lintKnown(component: Component): [problem: string, remedy: string][] {
  const { type, version, entries } = component
  if (type === '') return []
  const known = Object.hasOwn(KNOWN_TYPES, type) ? KNOWN_TYPES[type] : undefined
  if (!known) {
    return [[`is of the unknown type ${type}`, 'use one of scripts/lint-components/known-types.json']]
  }
  const complaints: [problem: string, remedy: string][] = []
  if (version !== undefined && !known.versions.includes(version)) {
    complaints.push([
      `has the version ${version}, which ${type} has not`,
      `use ${known.versions.join(' or ')}`,
    ])
  }
  const besides = Object.entries(BESIDES).flatMap(([family, names]) => (type.startsWith(family) ? names : []))
  for (const { name } of entries) {
    if ([...known.metadata, ...besides].some((pattern) => matches(pattern, name))) continue
    const remedy = `correct the name or remove it; it may also be missing in ${TABLE}`
    complaints.push([`sets ${name || 'something without a name'}, which ${type} ignores`, remedy])
  }
  return complaints
}

/** Dapr does not look at the case of a name. */
function matches(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), name.toLowerCase()]
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
}
