import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { functionNames } from '../../functions/main.ts'
import { EMBEDDED_ROLES } from '../../profiles/embedded/embedded-roles.ts'
import { socketUrl } from '../../shared/db/connect.ts'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { freePorts } from '../../tools/ports.ts'
import { billOfMaterials } from './bill-of-materials.ts'
import { bundle, type Bundles } from './bundles.ts'
import { fillCompileCache } from './compile-cache.ts'
import { COMPILE_CACHE, ENVIRONMENT, USER_ID } from './layout.ts'

const folder = mkdtempSync(join(tmpdir(), 'daybook-bundles-'))
let bundles: Bundles
beforeAll(async () => {
  bundles = await bundle(folder)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Names and contents of all files below. */
const treeDigest = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(parentPath, name)))
        .digest('hex')
      return `${parentPath.slice(root.length)}/${name} ${digest}`
    })
    .toSorted()

function start(program: string, names: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(folder, `${program}.mjs`), ...names], { env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return { ended: once(child, 'close').then(([status]) => ({ status, err })) }
}

describe('a program of the image', () => {
  it('is there for every unit, with every function of it', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'))
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
    expect(functionNames().filter((name) => !texts.includes(`"${name}"`))).toEqual([])
  })

  it('serves the functions it is given, answers probes and says what it lacks', async () => {
    const [port] = await freePorts(1)
    const settings = {
      DATABASE_URL: socketUrl(await testDatabaseTarget()),
      APP_API_TOKEN: 'token',
      PORT: String(port),
    }
    start('tasks-api', ['tasks/create-task'], settings)
    const ask = async (method: string, path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status
    await vi.waitFor(async () => expect(await ask('GET', '/livez')).toBe(200), 10_000)
    expect([await ask('POST', '/api/tasks'), await ask('GET', '/api/tasks')]).toEqual([401, 405])
    expect(await start('tasks-api', ['tasks/nothing'], settings).ended).toEqual({
      status: 1,
      err: 'Daybook: This unit has no function tasks/nothing.\n',
    })
    const { DATABASE_URL: _, ...others } = settings
    expect((await start('tasks-worker', [], others).ended).err).toContain('DATABASE_URL is not set')
  })

  it('has what it loads with the first request that needs it: the passwords that are too common', async () => {
    const [port] = await freePorts(1)
    const settings = {
      DATABASE_URL: socketUrl(await testDatabaseTarget()),
      APP_API_TOKEN: 'token',
      PORT: String(port),
    }
    start('auth-api', [], settings)
    const register = async (password: string) => {
      const body = JSON.stringify({ email: 'ada@example.org', password })
      const headers = { 'content-type': 'application/json' }
      const url = `http://127.0.0.1:${port}/api/auth/register`
      return (await fetch(url, { method: 'POST', headers, body })).status
    }
    await vi.waitFor(async () => expect(await register('1q2w3e4r5t6y')).toBe(422), 10_000)
    expect(await register('correct horse battery staple')).toBe(201)
  })

  it('has with it what it reads: migrations, the API document, the pages of its reference', async () => {
    const target = await testDatabaseTarget()
    const owner = { ...target, user: EMBEDDED_ROLES.owner }
    const env = { DATABASE_URL: socketUrl(target), DATABASE_MIGRATION_URL: socketUrl(owner) }
    expect(await start('migrate', [], env).ended).toEqual({ status: 0, err: '' })
    const [port] = await freePorts(1)
    start('edge', [], { ...env, APP_API_TOKEN: 'token', PORT: String(port) })
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
    await vi.waitFor(async () => expect(await ask('/livez')).toBe(200), 10_000)
    for (const path of ['/openapi.json', '/docs', '/docs/swagger-ui.css'])
      expect([path, await ask(path)]).toEqual([path, 200])
  })

  it('comes with its compiled code, the same each time', () => {
    fillCompileCache(folder, { programs: bundles.programs, node: process.execPath, userId: USER_ID })
    const digest = treeDigest(join(folder, COMPILE_CACHE))
    rmSync(join(folder, COMPILE_CACHE), { recursive: true })
    fillCompileCache(folder, { programs: bundles.programs, node: process.execPath, userId: USER_ID })
    expect(treeDigest(join(folder, COMPILE_CACHE))).toEqual(digest)
  }, 60_000)
})

it('the Dockerfile sets what the image sets', () => {
  const text = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
  for (const [name, value] of Object.entries(ENVIRONMENT)) expect(text).toContain(`${name}=${value}`)
  expect(text).toContain(`USER ${USER_ID}:${USER_ID}`)
})

it('the bill of materials names what is in the bundles, and nothing that only developers need', () => {
  const { components } = JSON.parse(billOfMaterials(bundles.packages, '24.0.0')) as {
    components: { purl: string }[]
  }
  const purls = components.map(({ purl }) => purl)
  expect(purls).toContainEqual(expect.stringMatching(/^pkg:npm\/hono@4\./))
  expect(purls).toContainEqual(expect.stringMatching(/^pkg:npm\/swagger-ui-dist@/))
  expect(purls).toContainEqual(expect.stringMatching(/^pkg:deb\/debian\/libc6@/))
  expect(purls.filter((purl) => /vitest|typescript|esbuild/.test(purl))).toEqual([])
})
