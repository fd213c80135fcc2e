import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runBuildStep } from './build-step.ts'
import { findProgram } from './find-program.ts'
import { ProgramError } from './program-error.ts'

export interface GoProgram {
  name: string
  /** Import path of its main package. */
  source: string
  version: string
  /** Of the linker, and build tags. */
  flags: readonly string[]
}

export interface GoModule {
  /** Whose programs these are, for messages: "Dapr". */
  of: string
  /** With go.mod and go.sum. */
  folder: string
}

/**
 * Builds programs from the module in a folder of ours into `target`. Does nothing for those that come from the same
 * go.mod, go.sum and flags; where that is all of them, no Go is needed either.
 */
export async function buildGoPrograms(
  module: GoModule,
  programs: readonly GoProgram[],
  target: string,
  say: (line: string) => void,
): Promise<void> {
  const modFile = readModFile(module)
  const sums = readFileSync(join(module.folder, 'go.sum'), 'utf8')
  mkdirSync(target, { recursive: true })
  for (const { name, source, version, flags } of programs) {
    const args = ['build', '-v', '-mod=readonly', '-buildvcs=false', ...flags]
    const key = createHash('sha256')
      .update(JSON.stringify([modFile, sums, ...args]))
      .digest('hex')
    const stamp = join(target, `${name}.key`)
    const program = join(target, name)
    if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) {
      say(`${name} ${version} is built already.`)
      continue
    }
    const compiler = await checkCompiler(module, pinnedIn(module, /^go ([\d.]+)$/m))
    say(`Building ${name} ${version} with ${compiler}; the first time takes minutes.`)
    const draft = `${program}.${process.pid}`
    try {
      await runBuildStep(
        {
          name: `${name} ${version}`,
          command: 'go',
          args: [...args, '-o', draft, source],
          cwd: module.folder,
          env: { CGO_ENABLED: '0' },
          whenMissing: 'Go is gone.',
          counts: 'packages fetched or compiled',
        },
        say,
      )
      rmSync(stamp, { force: true })
      renameSync(draft, program)
      writeFileSync(stamp, key)
    } finally {
      rmSync(draft, { force: true })
    }
  }
}

const readModFile = ({ folder }: GoModule): string => readFileSync(join(folder, 'go.mod'), 'utf8')

/** What the module's go.mod says, by a pattern with one group. */
export function pinnedIn(module: GoModule, pattern: RegExp): string {
  const found = pattern.exec(readModFile(module))?.[1]
  if (found === undefined)
    throw new ProgramError('build.failed', `${module.folder}go.mod has no line like ${pattern}.`)
  return found
}

/** The compiler as it names itself ("go1.26.8"); throws when it is absent or older than `needed`. */
async function checkCompiler({ of, folder }: GoModule, needed: string): Promise<string> {
  const wanted = `${of} is built with Go ${needed} or newer`
  const go = findProgram('go')
  if (go === undefined)
    throw new ProgramError('program.missing', `${wanted}, and there is no go; install it.`)
  const { stdout } = await promisify(execFile)(go, ['env', 'GOVERSION'], { cwd: folder }).catch(
    (cause: Error) => {
      throw new ProgramError('program.missing', `${wanted}: ${lastLine(cause)}`, { cause })
    },
  )
  const found = stdout.trim()
  if (isOlder(found, needed)) {
    throw new ProgramError('program.missing', `${wanted}, this is ${found}; update it.`)
  }
  return found
}

/** "go1.26.8" against "1.26.5"; what cannot be read (a development version) counts as new enough. */
function isOlder(found: string, needed: string): boolean {
  const numbers = (text: string) => (/(\d+(?:\.\d+)*)/.exec(text)?.[1] ?? '999').split('.').map(Number)
  const have = numbers(found)
  const difference = numbers(needed)
    .map((part, at) => (have[at] ?? 0) - part)
    .find((delta) => delta !== 0)
  return difference !== undefined && difference < 0
}

const lastLine = (error: Error): string => error.message.trim().split('\n').at(-1) ?? error.message
