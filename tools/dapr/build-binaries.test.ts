import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { buildBinaries } from './build-binaries.ts'

let said: string[]
const say = (line: string) => said.push(line)

beforeEach(() => {
  said = []
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** Puts a `go` on PATH that knows its version and "compiles" what the script writes to the file named after -o. */
function installGo(folder: string, version: string, build = 'echo program > "$out"'): void {
  const script = `#!/bin/sh
    [ "$1" = env ] && { echo ${version}; exit 0; }
    while [ "$1" != -o ]; do shift; done
    out=$2
    ${build}`
  writeFileSync(join(folder, 'go'), script)
  chmodSync(join(folder, 'go'), 0o755)
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`)
}

describe('the build of Dapr', () => {
  it('makes both programs once and finds them there the next time, even without Go', async () => {
    const folder = temporaryFolder()
    installGo(folder, 'go1.99.0')
    await buildBinaries(say, folder)
    expect(existsSync(join(folder, 'daprd')) && existsSync(join(folder, 'scheduler'))).toBe(true)
    expect(said).toContainEqual(expect.stringMatching(/^Building daprd [\d.]+ with go1\.99\.0;/))

    said = []
    vi.stubEnv('PATH', '/nowhere')
    await buildBinaries(say, folder)
    expect(said).toEqual([
      expect.stringMatching(/^scheduler [\d.]+ is built already\.$/),
      expect.stringMatching(/^daprd [\d.]+ is built already\.$/),
    ])
  })

  it('says in one line that Go is missing', async () => {
    vi.stubEnv('PATH', '/nowhere')
    await expect(buildBinaries(say, temporaryFolder())).rejects.toThrow(
      /^Dapr is built with Go [\d.]+ or newer, and there is no go; install it\.$/,
    )
  })

  it.each(['go1.26.4', 'go1.9', 'go1.25.12'])('says in one line that %s is too old', async (version) => {
    const folder = temporaryFolder()
    installGo(folder, version)
    await expect(buildBinaries(say, folder)).rejects.toThrow(
      new RegExp(`^Dapr is built with Go 1\\.26\\.5 or newer, this is ${version}; update it\\.$`),
    )
  })

  it.each(['go1.26.5', 'go1.27', 'go2.0.1', 'devel'])('accepts %s', async (version) => {
    const folder = temporaryFolder()
    installGo(folder, version)
    await expect(buildBinaries(say, folder)).resolves.toBeUndefined()
  })

  it('that fails shows what the compiler said and leaves nothing that looks built', async () => {
    const folder = temporaryFolder()
    installGo(folder, 'go1.99.0', 'echo half > "$out"; echo "main.go:1: no" >&2; exit 2')
    await expect(buildBinaries(say, folder)).rejects.toMatchObject({ code: 'build.failed' })
    expect(said.at(-1)).toBe('  | main.go:1: no')
    expect(existsSync(join(folder, 'scheduler'))).toBe(false)
  })
})
