import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildGoPrograms, pinnedIn, type GoModule } from './go-programs.ts'
import { ProgramError } from './program-error.ts'

interface GoTools<Name extends string> {
  isBuilt(name: Name): boolean
  /** The path of a program; throws when it is not built. */
  program(name: Name): string
  buildPrograms(say: (line: string) => void): Promise<void>
}

/** Small programs that `npm run k8s:build` puts into `bin/` beside the go.mod that pins them; by name their main packages. */
export function goTools<Name extends string>(
  module: GoModule,
  sources: Readonly<Record<Name, string>>,
): GoTools<Name> {
  const binaries = join(module.folder, 'bin')
  const isBuilt = (name: Name) => existsSync(join(binaries, name))
  return {
    isBuilt,
    program(name) {
      if (isBuilt(name)) return join(binaries, name)
      throw new ProgramError('program.missing', `${name} is not built yet; run npm run k8s:build.`)
    },
    async buildPrograms(say) {
      const programs = Object.entries<string>(sources).map(([name, source]) => {
        const [path] = source.split('/cmd/')
        const version = pinnedIn(module, new RegExp(`^\\s*${path} v(\\S+)`, 'm'))
        return { name, source, version, flags: ['-ldflags', '-s -w'] }
      })
      await buildGoPrograms(module, programs, binaries, say)
    },
  }
}
