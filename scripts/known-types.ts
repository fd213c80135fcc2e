/**
 * Writes scripts/lint-components/known-types.json: what each component type of the pinned Dapr reads, from the metadata
 * files that come with its source. Needs Go and what `npm run dapr:build` has downloaded.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

const MODULE = 'github.com/dapr/components-contrib'
const WRAPPER = fileURLToPath(new URL('../tools/dapr/', import.meta.url))
const TARGET = fileURLToPath(new URL('lint-components/known-types.json', import.meta.url))

const Fields = z.array(z.object({ name: z.string(), aliases: z.array(z.string()).default([]) })).nullish()
const Described = z.object({
  type: z.string(),
  name: z.string(),
  version: z.string(),
  metadata: Fields,
  authenticationProfiles: z.array(z.object({ metadata: Fields })).nullish(),
  builtinAuthenticationProfiles: z.array(z.object({ name: z.string() })).nullish(),
})

/** Fields of the profiles that Dapr describes beside the components. */
const BUILTIN: Record<string, readonly string[]> = {
  azuread: ['azure*'],
  aws: ['accessKey', 'secretKey', 'sessionToken', 'region', 'awsRegion', 'assumeRole*', 'trustAnchorArn'],
  gcp: [
    'projectID',
    'type',
    'privateKey*',
    'clientEmail',
    'clientID',
    'authURI',
    'tokenURI',
    'authProviderX509CertURL',
    'clientX509CertURL',
  ],
}

const [version = '', folder = ''] = execFileSync(
  'go',
  ['list', '-m', '-f', '{{.Version}} {{.Dir}}', MODULE],
  {
    cwd: WRAPPER,
    encoding: 'utf8',
  },
)
  .trim()
  .split(' ')
if (folder === '') throw new Error(`${MODULE} is not on this machine; npm run dapr:build downloads it.`)

const types = new Map<string, { versions: string[]; metadata: string[] }>()
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
for (const file of files.filter((name) => name.endsWith('metadata.yaml') && !name.startsWith('tests/'))) {
  const described = Described.safeParse(parse(readFileSync(join(folder, file), 'utf8'))).data
  if (!described) continue
  const type = `${described.type}.${described.name}`
  const known = types.get(type) ?? { versions: [], metadata: [] }
  const fields = [
    ...(described.metadata ?? []),
    ...(described.authenticationProfiles ?? []).flatMap(({ metadata }) => metadata ?? []),
  ]
  const builtin = described.builtinAuthenticationProfiles ?? []
  known.versions.push(described.version)
  known.metadata.push(
    ...fields.flatMap(({ name, aliases }) => [name, ...aliases]),
    ...builtin.flatMap(({ name }) => BUILTIN[name.split('.')[0]!] ?? []),
  )
  types.set(type, known)
}
const sorted = (values: readonly string[]) => [...new Set(values)].toSorted()
const lines = [...types]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([type, { versions, metadata }]) => {
    const known = { versions: sorted(versions), metadata: sorted(metadata) }
    return `    ${JSON.stringify(type)}: ${JSON.stringify(known)}`
  })
const comment = `Generated from ${MODULE} ${version} by node scripts/known-types.ts; not to be edited.`
writeFileSync(
  TARGET,
  `{\n  "$comment": ${JSON.stringify(comment)},\n  "types": {\n${lines.join(',\n')}\n  }\n}\n`,
)
console.log(`${types.size} component types of ${version}.`)
