import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGoPrograms, pinnedIn, type GoModule } from '../go-programs.ts'
import { ProgramError } from '../program-error.ts'

const MODULE: GoModule = { of: 'Helm', folder: fileURLToPath(new URL('./', import.meta.url)) }
/** Where `npm run k8s:build` puts the programs. */
const BINARIES = join(MODULE.folder, 'bin')
const SMALL = ['-ldflags', '-s -w']

const PROGRAMS = {
  helm: 'helm.sh/helm/v4/cmd/helm',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
} as const

export const isBuilt = (name: keyof typeof PROGRAMS): boolean => existsSync(join(BINARIES, name))

/** The path of a program; throws when it is not built. */
export function program(name: keyof typeof PROGRAMS): string {
  if (!isBuilt(name))
    throw new ProgramError('program.missing', `${name} is not built yet; run npm run k8s:build.`)
  return join(BINARIES, name)
}

export async function buildPrograms(say: (line: string) => void): Promise<void> {
  const programs = Object.entries(PROGRAMS).map(([name, source]) => {
    const [path] = source.split('/cmd/')
    return {
      name,
      source,
      version: pinnedIn(MODULE, new RegExp(`^\\s*${path} v([\\d.]+)`, 'm')),
      flags: SMALL,
    }
  })
  await buildGoPrograms(MODULE, programs, BINARIES, say)
}
