import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { writeImage, type ImageConfig } from './oci-layout.ts'

const CONFIG: ImageConfig = {
  name: 'dev.local/some:1',
  architecture: 'amd64',
  user: '65532:65532',
  workingDir: '/app',
  entrypoint: ['/run'],
  env: { A: 'b' },
  labels: {},
}

/** The same content, made in another order and at another time. */
function layer(names: readonly string[], at: number): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'app'))
  for (const name of names) {
    writeFileSync(join(folder, 'app', name), name)
    utimesSync(join(folder, 'app', name), at, at)
  }
  chmodSync(join(folder, 'app', 'run'), 0o700)
  symlinkSync('run', join(folder, 'start'))
  return folder
}

it('makes the same image of the same content, whenever and by whomever it was written', async () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()]
  const digest = await writeImage(first, [layer(['run', 'a', 'b'], 1)], CONFIG)
  expect(await writeImage(second, [layer(['b', 'a', 'run'], 1_000_000)], CONFIG)).toBe(digest)
  expect(await writeImage(second, [layer(['b', 'a', 'run', 'c'], 1)], CONFIG)).not.toBe(digest)
})

it('is a layout whose blobs are what they are named, with files that belong to nobody who runs', async () => {
  const target = temporaryFolder()
  const digest = await writeImage(target, [layer(['run', 'a'], 1)], CONFIG)
  const index = JSON.parse(readFileSync(join(target, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[]
  }
  expect(index.manifests.map((manifest) => manifest.digest)).toEqual([digest])
  const blobs = join(target, 'blobs/sha256')
  for (const name of readdirSync(blobs)) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(blobs, name)))
        .digest('hex'),
    ).toBe(name)
  }
  const manifest = JSON.parse(readFileSync(join(blobs, digest.replace('sha256:', '')), 'utf8')) as {
    layers: { digest: string }[]
  }
  const tar = join(blobs, manifest.layers[0]!.digest.replace('sha256:', ''))
  const listed = execFileSync('tar', ['--numeric-owner', '--full-time', '-tvzf', tar], { encoding: 'utf8' })
  const lines = listed
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '))
  expect(lines).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 app/',
    '-rw-r--r-- 0/0 1 1970-01-01 00:00:00 app/a',
    '-rwxr-xr-x 0/0 3 1970-01-01 00:00:00 app/run',
    'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 start -> run',
  ])
})
