import { createHash } from 'node:crypto'
import { createWriteStream, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Pack } from 'tar-stream'
import { archiveOf } from './archive.ts'

const MEDIA = 'application/vnd.oci.image'

interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

export interface ImageConfig {
  /** As `dev.local/daybook:1`. */
  name: string
  architecture: string
  user: string
  workingDir: string
  entrypoint: readonly string[]
  env: Readonly<Record<string, string>>
  labels: Readonly<Record<string, string>>
}

/**
 * Writes an image as an OCI layout (image-spec 1.1) into `target`, a layer for each folder. The same folders and
 * settings make the same digest, which is returned.
 */
export async function writeImage(
  target: string,
  layers: readonly string[],
  config: ImageConfig,
  { compression = 6 }: { compression?: number } = {},
): Promise<string> {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(join(target, 'blobs', 'sha256'), { recursive: true })
  const written: { descriptor: Descriptor; diffId: string }[] = []
  for (const folder of layers) written.push(await writeLayer(target, archiveOf(folder), compression))
  const { architecture, env, labels } = config
  const configDescriptor = writeJson(target, `${MEDIA}.config.v1+json`, {
    created: new Date(0).toISOString(),
    architecture,
    os: 'linux',
    config: {
      User: config.user,
      WorkingDir: config.workingDir,
      Entrypoint: config.entrypoint,
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: written.map(({ diffId }) => diffId) },
  })
  const manifest = writeJson(target, `${MEDIA}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: configDescriptor,
    layers: written.map(({ descriptor }) => descriptor),
  })
  const annotations = {
    'org.opencontainers.image.ref.name': config.name.split(':')[1] ?? 'latest',
    'io.containerd.image.name': config.name,
  }
  const index = {
    schemaVersion: 2,
    manifests: [{ ...manifest, platform: { architecture, os: 'linux' }, annotations }],
  }
  writeFileSync(join(target, 'index.json'), JSON.stringify(index))
  writeFileSync(join(target, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return manifest.digest
}

async function writeLayer(
  target: string,
  tar: Pack,
  level: number,
): Promise<{ descriptor: Descriptor; diffId: string }> {
  const [plain, packed] = [createHash('sha256'), createHash('sha256')]
  const draft = join(target, 'blobs', 'draft')
  await pipeline(tar, through(plain), createGzip({ level }), through(packed), createWriteStream(draft))
  const digest = `sha256:${packed.digest('hex')}`
  const { size } = statSync(draft)
  renameSync(draft, blobPath(target, digest))
  return {
    descriptor: { mediaType: `${MEDIA}.layer.v1.tar+gzip`, digest, size },
    diffId: `sha256:${plain.digest('hex')}`,
  }
}

const through = (hash: ReturnType<typeof createHash>): Transform =>
  new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })

function writeJson(target: string, mediaType: string, value: object): Descriptor {
  const text = JSON.stringify(value)
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
  writeFileSync(blobPath(target, digest), text)
  return { mediaType, digest, size: Buffer.byteLength(text) }
}

const blobPath = (target: string, digest: string): string =>
  join(target, 'blobs', 'sha256', digest.replace('sha256:', ''))
