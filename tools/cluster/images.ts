import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { binary } from '../dapr/binaries.ts'
import { archiveOf } from '../image/archive.ts'
import { writeDebianFiles } from '../image/debian-files.ts'
import { writeImage } from '../image/oci-layout.ts'
import { run, runNow } from './command.ts'
import { containers } from './node.ts'
import { image, place, program } from './places.ts'

/** Of Debian's libraries, which Envoy is linked with. */
const WITH_LIBRARIES = new Set(['envoy'])
const NOBODY = '65532:65532'

interface Wanted {
  /** Of the program on this machine. */
  from: string
  /** Where its manifests look for it. */
  to: string
  user?: string
}

/** One for each program that runs in a pod. */
const IMAGES: Readonly<Record<string, Wanted>> = {
  pause: { from: program('pause'), to: 'pause' },
  // It listens on port 53.
  coredns: { from: program('coredns'), to: 'coredns', user: '0:0' },
  envoy: { from: program('envoy'), to: 'usr/local/bin/envoy', user: '65534:65534' },
  kourier: { from: program('kourier'), to: 'kourier' },
  ...named('knative', ['controller', 'webhook', 'autoscaler', 'activator', 'queue']),
  ...named('dapr', ['operator', 'injector', 'placement', 'sentry']),
  'dapr-scheduler': { from: binary('scheduler'), to: 'scheduler' },
  'dapr-daprd': { from: binary('daprd'), to: 'daprd' },
  'keda-operator': { from: program('keda-operator'), to: 'keda' },
  'keda-adapter': { from: program('keda-adapter'), to: 'keda-adapter' },
}

function named(prefix: string, names: readonly string[]): Record<string, Wanted> {
  return Object.fromEntries(
    names.map((name) => [`${prefix}-${name}`, { from: program(`${prefix}-${name}`), to: name }]),
  )
}

/** Makes each image and puts it into the node; does nothing for those that are there and of the same program. */
export async function putImages(say: (line: string) => void): Promise<void> {
  const there = new Set(runNow('ctr', containers('images', 'ls', '-q')).split('\n'))
  let count = 0
  for (const [name, wanted] of Object.entries(IMAGES)) {
    const { size, mtimeMs } = statSync(wanted.from)
    const key = createHash('sha256')
      .update(JSON.stringify([wanted, size, mtimeMs]))
      .digest('hex')
    const stamp = place('images', `${name}.key`)
    if (there.has(image(name)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) continue
    await putImage(name, wanted)
    writeFileSync(stamp, key)
    count += 1
  }
  if (count > 0) say(`Made ${count} images.`)
}

async function putImage(name: string, { from, to, user = NOBODY }: Wanted): Promise<void> {
  const [root, layout] = [place('images', `${name}.root`), place('images', `${name}.oci`)]
  try {
    mkdirSync(join(root, dirname(to)), { recursive: true })
    copyFileSync(from, join(root, to))
    chmodSync(join(root, to), 0o755)
    mkdirSync(join(root, 'tmp'))
    chmodSync(join(root, 'tmp'), 0o1777)
    if (WITH_LIBRARIES.has(name)) writeDebianFiles(root)
    const settings = {
      name: image(name),
      architecture: 'amd64',
      user,
      workingDir: '/',
      entrypoint: [`/${to}`],
      env: {},
      labels: {},
    }
    await writeImage(layout, [root], settings, { compression: 0 })
    await importImage(layout)
  } finally {
    for (const folder of [root, layout]) rmSync(folder, { recursive: true, force: true })
  }
}

/** Puts an OCI layout into the node. */
export async function importImage(layout: string): Promise<void> {
  await run('ctr', containers('images', 'import', '-'), { input: Readable.from(archiveOf(layout)) })
}
