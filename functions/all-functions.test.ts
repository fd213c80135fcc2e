import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Deps } from '../shared/app/ports.ts'
import { TOPICS } from '../shared/domain/event-definition.ts'
import { SCOPES } from '../shared/domain/scopes.ts'
import { cronRouteOf } from '../shared/kit/cron-function.ts'
import { testDaybook } from '../testing/worlds/test-daybook.ts'
import { functionNames, loadFunctions } from './main.ts'
import { mountFunctions, type DaybookFunction } from '../shared/kit/mount-functions.ts'

const HERE = new URL('./', import.meta.url)
const names = functionNames()
const functions = await loadFunctions(names)

/** Deps of a Daybook whose database is closed: whatever asks it fails. */
const { deps: untouchable, sql } = await testDaybook()
await sql.end()

const duplicates = (values: readonly string[]) =>
  values.filter((value, index) => values.indexOf(value) !== index)

const concrete = (path: string) =>
  path.replaceAll(/:\w+(\{[^}]*\})?\??/g, '0199d0a0-0000-7000-8000-000000000000')

function pathsForSidecar(fn: DaybookFunction): string[] {
  switch (fn.kind) {
    case 'topic':
      return fn.topics.map((topic) => `/dapr/events/${topic}`)
    case 'job':
      return [`/job/${fn.job}-1`]
    case 'cron':
      return [cronRouteOf(fn)]
    case 'http':
    case 'routes':
      return []
  }
}

/** What a function must not share with another. */
function ownedBy(fn: DaybookFunction): string[] {
  const pattern = (path: string) => path.replaceAll(/:\w+/g, ':')
  switch (fn.kind) {
    case 'http':
      return fn.paths.map((path) => `${fn.method} ${pattern(path)}`)
    case 'routes':
      return fn.serves.map(pattern)
    case 'job':
      return [`job ${fn.job}`]
    case 'topic':
    case 'cron':
      return [`${fn.kind} ${basename(fn.name)}`]
  }
}

describe('every function', () => {
  it('imports with an empty environment, says nothing, leaves nothing running and no file behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daybook-import-'))
    const urls = names.map((name) => new URL(`${name}.ts`, HERE).href)
    const program = `for (const url of ${JSON.stringify(urls)}) if (!(await import(url)).default) throw new Error(url)
      const resources = process.getActiveResourcesInfo().filter((name) => !/TTY|Pipe|FSReq/.test(name))
      console.log(JSON.stringify(resources))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, env: {} })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    const left = readdirSync(folder)
    rmSync(folder, { recursive: true })
    expect({ code, output: output.trim(), left }).toEqual({ code: 0, output: '[]', left: [] })
  })

  it('has a name of its own', () => {
    expect(duplicates(names.map((name) => basename(name)))).toEqual([])
  })

  it('has a test beside it', () => {
    const untested = names.filter((name) => !existsSync(fileURLToPath(new URL(`${name}.test.ts`, HERE))))
    expect(untested).toEqual([])
  })

  it('knows its name, which is the path of its file', () => {
    expect(functions.map(({ name }) => name)).toEqual(names)
  })

  it('owns its routes, job prefix, cron binding and consumer name alone', () => {
    expect(duplicates(functions.flatMap(ownedBy))).toEqual([])
  })
})

describe('HTTP functions', () => {
  const http = functions.filter((fn) => fn.kind === 'http')
  const guarded = http.flatMap((fn) => fn.paths.map((path) => ({ name: fn.name, path, fn })))
  const secured = guarded.filter(({ fn }) => fn.spec.auth !== 'none')

  it.each(secured)('$name refuses who has not signed in at $path', async ({ fn, path }) => {
    const answer = await mountFunctions([fn], untouchable).request(concrete(path), { method: fn.method })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="daybook"')
    expect(await answer.json()).toMatchObject({ status: 401, code: 'auth.required' })
  })

  it.each(secured)('$name refuses a token with every scope but its own at $path', async ({ fn, path }) => {
    const scopes = Object.keys(SCOPES).filter((scope) => scope !== fn.spec.auth)
    const userId = '0199d0a0-0000-7000-8000-000000000000'
    const authenticate: Deps['authenticate'] = async () => ({
      userId,
      view: { type: 'user', id: userId },
      timeZone: 'UTC',
      scopes,
    })
    const app = mountFunctions([fn], { ...untouchable, authenticate })
    const headers = { authorization: 'Bearer token' }
    const answer = await app.request(concrete(path), { method: fn.method, headers })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="daybook", error="insufficient_scope"')
    expect(await answer.json()).toMatchObject({ code: 'auth.insufficient_scope' })
  })

  it('tell why a token is none (RFC 6750 §3.1)', async () => {
    const [first] = secured
    const { deps } = await testDaybook()
    for (const authorization of ['Bearer forged', 'Basic eDp5', 'Bearer']) {
      const answer = await mountFunctions([first!.fn], deps).request(concrete(first!.path), {
        method: first!.fn.method,
        headers: { authorization },
      })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="daybook", error="invalid_token"',
      ])
    }
  })

  it('are open to everyone only in identity, health and web pages', () => {
    const open = http.filter(({ spec }) => spec.auth === 'none').map(({ name }) => name.split('/')[0] ?? '')
    expect([...new Set(open)].toSorted()).toEqual(
      ['auth', 'health', 'web'].filter((name) => open.includes(name)),
    )
  })
})

describe('functions called by the sidecar', () => {
  const called = functions.flatMap((fn) => pathsForSidecar(fn).map((path) => ({ name: fn.name, fn, path })))

  it.each(called)('$name refuses who does not show the token of the sidecar', async ({ fn, path }) => {
    const answer = await mountFunctions([fn], untouchable).request(path, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
  })

  it('consume from topics that exist', () => {
    const topics = functions.flatMap((fn) => (fn.kind === 'topic' ? fn.topics : []))
    expect(topics.filter((topic) => !TOPICS.includes(topic))).toEqual([])
  })
})
