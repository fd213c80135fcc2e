import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGoPrograms, pinnedIn, type GoModule } from '../go-programs.ts'
import { ProgramError } from '../program-error.ts'

const MODULE: GoModule = { of: 'actionlint', folder: fileURLToPath(new URL('./', import.meta.url)) }
const BINARIES = join(MODULE.folder, 'bin')
const SMALL = ['-ldflags', '-s -w']

const PROGRAMS = {
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint',
  hclfmt: 'github.com/hashicorp/hcl/v2/cmd/hclfmt',
  'terraform-config-inspect': 'github.com/hashicorp/terraform-config-inspect',
} as const

/** The path of a program; throws when it is not built. */
export function program(name: keyof typeof PROGRAMS): string {
  const path = join(BINARIES, name)
  if (!existsSync(path))
    throw new ProgramError('program.missing', `${name} is not built yet; run npm run k8s:build.`)
  return path
}

export async function buildPrograms(say: (line: string) => void): Promise<void> {
  const programs = Object.entries(PROGRAMS).map(([name, source]) => {
    const [path] = source.split('/cmd/')
    return { name, source, version: pinnedIn(MODULE, new RegExp(`^\\s*${path} v(\\S+)`, 'm')), flags: SMALL }
  })
  await buildGoPrograms(MODULE, programs, BINARIES, say)
}
