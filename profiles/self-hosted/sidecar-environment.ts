import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { componentsOf, metadataValue, readResources } from '../../dapr/embedded/resources.ts'
import { pick, type Config } from '../../shared/config.ts'
import type { UnitContext } from './unit.ts'

type Variables = Config['environment']

const Configuration = z.object({
  spec: z.object({
    secrets: z
      .object({ scopes: z.array(z.object({ allowedSecrets: z.array(z.string()).default([]) })) })
      .default({ scopes: [] }),
  }),
})

/** Those that the unit's functions may ask its sidecar for. */
async function allowedSecrets(configFile: string): Promise<string[]> {
  const { spec } = Configuration.parse(parse(await readFile(configFile, 'utf8')))
  return spec.secrets.scopes.flatMap(({ allowedSecrets: names }) => names)
}

/**
 * What a unit's sidecar reads: the variables that its components name, and of the secrets in the environment those that its
 * components or its functions use. So a unit that is taken over has the secrets of no other.
 */
export async function sidecarEnvironment(
  unitId: string,
  {
    resourcesDir,
    configurationDir,
    environment,
  }: Pick<UnitContext, 'resourcesDir' | 'configurationDir' | 'environment'>,
): Promise<Variables> {
  const components = componentsOf(await readResources(resourcesDir), unitId)
  const entries = components.flatMap(({ metadata }) => metadata)
  const secrets = [
    ...entries.flatMap(({ secretKeyRef }) => (secretKeyRef ? [secretKeyRef.name] : [])),
    ...(await allowedSecrets(join(configurationDir, `${unitId}.yaml`))),
  ]
  const prefixes = components
    .filter(({ type }) => type === 'secretstores.local.env')
    .map((component) => metadataValue(component, 'prefix', environment) ?? '')
  return pick(environment, [
    ...entries.flatMap(({ envRef }) => (envRef === undefined ? [] : [envRef])),
    ...prefixes.flatMap((prefix) => secrets.map((name) => prefix + name)),
  ])
}
