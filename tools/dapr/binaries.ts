import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where `npm run dapr:build` puts the programs. */
export const BINARIES = fileURLToPath(new URL('bin/', import.meta.url))

export const WHEN_NOT_BUILT = 'it is not built yet; run npm run dapr:build.'

/** Without a route to the world the programs find no address of their own and give up (dapr/utils, GetHostAddress). */
export const LOOPBACK_ONLY = { DAPR_HOST_IP: '127.0.0.1' }

export const binary = (name: 'daprd' | 'scheduler'): string => join(BINARIES, name)
