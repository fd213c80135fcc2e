import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../find-program.ts'
import { ProgramError } from '../program-error.ts'
import pinned from './debian.json' with { type: 'json' }

const CACHE = fileURLToPath(new URL('debs/', import.meta.url))
/** What a program that is linked with them loads, and under which conditions they may be passed on. */
const WANTED = /^(lib64\/.*|(usr\/)?lib\/[^/]+\/[^/]+\.so(\.[\d.]+)?|usr\/share\/doc\/[^/]+\/copyright)$/

export const DEBIAN_PACKAGES: readonly { name: string; version: string }[] = pinned.packages

/** The C and C++ libraries that Node is linked with, from the packages of Debian that debian.json pins. */
export function writeDebianFiles(target: string): void {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (findProgram(tool) === undefined) {
      throw new ProgramError(
        'program.missing',
        `The base of the image is made of packages of Debian, and there is no ${tool}; use a Debian (${pinned.release}), or the Dockerfile.`,
      )
    }
  }
  for (const each of pinned.packages) {
    const unpacked = mkdtempSync(join(tmpdir(), 'daybook-deb-'))
    try {
      run('dpkg-deb', ['-x', fetchPackage(each), unpacked])
      for (const path of readdirSync(unpacked, { recursive: true, encoding: 'utf8' })) {
        if (WANTED.test(path)) {
          cpSync(join(unpacked, path), join(target, path), { recursive: true, verbatimSymlinks: true })
        }
      }
    } finally {
      rmSync(unpacked, { recursive: true, force: true })
    }
  }
}

function fetchPackage({ name, version, sha256 }: (typeof pinned.packages)[number]): string {
  const path = join(CACHE, `${name}_${version}.deb`)
  if (!existsSync(path)) {
    const draft = mkdtempSync(join(tmpdir(), 'daybook-deb-'))
    try {
      run('apt-get', ['download', '-q', `${name}:${pinned.architecture}=${version}`], draft)
      mkdirSync(CACHE, { recursive: true })
      cpSync(join(draft, readdirSync(draft)[0]!), `${path}.draft`)
      renameSync(`${path}.draft`, path)
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }
  const found = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (found === sha256) return path
  throw new ProgramError('build.failed', `${path} is not what tools/image/debian.json pins (${found}).`)
}

function run(command: string, args: readonly string[], cwd?: string): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', ...(cwd !== undefined && { cwd }) })
  if (status === 0) return
  const hint =
    command === 'apt-get'
      ? '\nA release of Debian keeps the newest version only: run apt-get update, and where there is a newer one, pin it in tools/image/debian.json.'
      : ''
  throw new ProgramError('build.failed', `${command} ${args.join(' ')}: ${stderr.trim()}${hint}`)
}
