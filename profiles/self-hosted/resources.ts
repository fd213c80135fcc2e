import { cpSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { privateFolder } from '../../shared/private-folder.ts'

const DAPR = fileURLToPath(new URL('../../dapr/', import.meta.url))

/** Dapr's settings for the sidecars, a file for each unit. */
export const CONFIGURATION = join(DAPR, 'configuration', 'self-hosted')

/**
 * Copies the default components into `folder`, with variants in the place of those of their name: `pubsub-redis.yaml`
 * replaces `pubsub.yaml`. Dapr would load both if they lay in one folder.
 */
export function writeResources(folder: string, variants: readonly string[]): void {
  rmSync(folder, { recursive: true, force: true })
  privateFolder(folder)
  const replaced = new Set(variants.map((file) => `${basename(file).split('-')[0]}.yaml`))
  for (const file of readdirSync(join(DAPR, 'components'))) {
    if (!replaced.has(file)) cpSync(join(DAPR, 'components', file), join(folder, file))
  }
  for (const file of variants) cpSync(join(DAPR, 'variants', file), join(folder, file))
}
