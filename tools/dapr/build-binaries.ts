import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runBuildStep } from '../build-step.ts'
import { findProgram } from '../find-program.ts'
import { ProgramError } from '../program-error.ts'
import { BINARIES } from './binaries.ts'

const MODULE = fileURLToPath(new URL('./', import.meta.url))
/** All components: SMTP, conversation and SQLite name resolution are not among the stable ones. */
const PROGRAMS = [
  { name: 'scheduler', tags: [] },
  { name: 'daprd', tags: ['-tags', 'allcomponents'] },
] as const

/**
 * Builds daprd and the scheduler from the module in this folder, with the flags of Dapr's own releases (its Makefile).
 * Does nothing when those in `folder` come from the same go.mod, go.sum and flags; then no Go is needed either.
 */
export async function buildBinaries(say: (line: string) => void, folder = BINARIES): Promise<void> {
  const modFile = readFileSync(join(MODULE, 'go.mod'), 'utf8')
  const version = pinned(modFile, /^\s*(?:require )?github\.com\/dapr\/dapr v([\d.]+)(?: |$)/m)
  const neededGo = pinned(modFile, /^go ([\d.]+)$/m)
  const flags = ['-mod=readonly', '-buildvcs=false', '-ldflags', linkerFlags(version)]
  for (const { name, tags } of PROGRAMS) {
    const args = ['build', '-v', ...flags, ...tags]
    const key = digest([modFile, readFileSync(join(MODULE, 'go.sum'), 'utf8'), ...args])
    const stamp = join(folder, `${name}.key`)
    const target = join(folder, name)
    if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) {
      say(`${name} ${version} is built already.`)
      continue
    }
    const compiler = await checkCompiler(neededGo)
    say(`Building ${name} ${version} with ${compiler}; the first time takes minutes.`)
    const draft = `${target}.${process.pid}`
    try {
      await runBuildStep(
        {
          name: `${name} ${version}`,
          command: 'go',
          args: [...args, '-o', draft, `github.com/dapr/dapr/cmd/${name}`],
          cwd: MODULE,
          env: { CGO_ENABLED: '0' },
          whenMissing: 'Go is gone.',
          counts: 'packages fetched or compiled',
        },
        say,
      )
      rmSync(stamp, { force: true })
      renameSync(draft, target)
      writeFileSync(stamp, key)
    } finally {
      rmSync(draft, { force: true })
    }
  }
}

function linkerFlags(version: string): string {
  const info = 'github.com/dapr/dapr/pkg/buildinfo'
  const values = {
    [`${info}.version`]: version,
    [`${info}.gitversion`]: `v${version}`,
    'github.com/dapr/kit/logger.DaprVersion': version,
  }
  return ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)].join(' ')
}

/** The compiler as it names itself ("go1.26.8"); throws when it is absent or older than `needed`. */
async function checkCompiler(needed: string): Promise<string> {
  const go = findProgram('go')
  if (go === undefined) {
    throw new ProgramError(
      'program.missing',
      `Dapr is built with Go ${needed} or newer, and there is no go; install it.`,
    )
  }
  const { stdout } = await promisify(execFile)(go, ['env', 'GOVERSION'], { cwd: MODULE }).catch(
    (cause: Error) => {
      throw new ProgramError(
        'program.missing',
        `Dapr is built with Go ${needed} or newer: ${lastLine(cause)}`,
        { cause },
      )
    },
  )
  const found = stdout.trim()
  if (isOlder(found, needed)) {
    throw new ProgramError(
      'program.missing',
      `Dapr is built with Go ${needed} or newer, this is ${found}; update it.`,
    )
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

function pinned(modFile: string, pattern: RegExp): string {
  const version = pattern.exec(modFile)?.[1]
  if (version === undefined)
    throw new ProgramError('build.failed', `tools/dapr/go.mod has no line like ${pattern}.`)
  return version
}

const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')
