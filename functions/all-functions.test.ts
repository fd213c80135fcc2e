import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Deps } from '../shared/app/ports.ts'
import { TOPICS } from '../shared/domain/events.ts'
import type { DaybookFunction } from '../shared/kit/mount-functions.ts'
import { systemClock, systemIds } from '../shared/kit/system.ts'
import { functionNames, loadFunctions } from './main.ts'

const HERE = new URL('./', import.meta.url)
const names = functionNames()
const functions = (await loadFunctions(names)).map((fn, index) => ({ name: names[index] ?? '', fn }))

/** Deps of a Daybook in which nothing may be touched but clock, ids and log. */
const untouchable = {
  clock: systemClock,
  ids: systemIds,
  log: { info: () => {}, warn: () => {}, error: () => {} },
  settings: { appToken: 'of-the-sidecar', issuer: 'urn:test', audience: 'daybook' },
} as unknown as Deps

const duplicates = (values: readonly string[]) =>
  values.filter((value, index) => values.indexOf(value) !== index)

const concrete = (path: string) =>
  path.replaceAll(/:\w+(\{[^}]*\})?\??/g, '0199d0a0-0000-7000-8000-000000000000')

function pathsForSidecar(fn: DaybookFunction): string[] {
  if (fn.kind === 'http') return []
  if (fn.kind === 'topic') return fn.topics.map((topic) => `/dapr/events/${topic}`)
  return [fn.kind === 'job' ? `/job/${fn.job}-1` : `/dapr/cron/${fn.binding}`]
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

  it('owns its route, job prefix, cron binding and consumer name alone', () => {
    const owned = functions.map(({ name, fn }) => {
      if (fn.kind === 'http' && !fn.spec) return name
      if (fn.kind === 'http') return `${fn.method} ${fn.path.replaceAll(/:\w+/g, ':')}`
      return `${fn.kind} ${fn.kind === 'topic' ? fn.consumer : fn.kind === 'job' ? fn.job : fn.binding}`
    })
    expect(duplicates(owned)).toEqual([])
  })
})

describe('HTTP functions', () => {
  const http = functions.flatMap(({ name, fn }) => (fn.kind === 'http' && fn.spec ? [{ name, fn }] : []))

  it.each(http.filter(({ fn }) => fn.spec.auth === 'user'))(
    '$name refuses who has not signed in',
    async ({ fn }) => {
      const app = fn.createApp(untouchable)
      const path = concrete(fn.path)
      for (const url of [
        path,
        path.replace(/^\/api\/tasks/, '/api/0199d0a0-0000-7000-8000-000000000000/tasks'),
      ]) {
        const answer = await app.request(url, { method: fn.method })
        expect(answer.status).toBe(401)
        expect(answer.headers.get('www-authenticate')).toBe('Bearer')
        expect(await answer.json()).toMatchObject({ status: 401, code: 'auth.required' })
      }
    },
  )

  it('are open to everyone only in identity, health and web pages', () => {
    const open = http.filter(({ fn }) => fn.spec.auth === 'none').map(({ name }) => name.split('/')[0] ?? '')
    expect([...new Set(open)].toSorted()).toEqual(
      ['auth', 'health', 'web'].filter((name) => open.includes(name)),
    )
  })
})

describe('functions called by the sidecar', () => {
  const called = functions.flatMap(({ name, fn }) => pathsForSidecar(fn).map((path) => ({ name, fn, path })))

  it.each(called)('$name refuses who does not show the token of the sidecar', async ({ fn, path }) => {
    const answer = await fn.createApp(untouchable).request(path, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
  })

  it('consume under the name of their file, on topics that exist', () => {
    const consumers = functions.flatMap(({ name, fn }) => (fn.kind === 'topic' ? [{ name, fn }] : []))
    expect(consumers.filter(({ name, fn }) => fn.consumer !== basename(name))).toEqual([])
    const topics = consumers.flatMap(({ fn }) => fn.topics)
    expect(topics.filter((topic) => !TOPICS.includes(topic))).toEqual([])
  })

  it('tick by bindings that dapr/components has', () => {
    const folder = new URL('../dapr/components/', HERE)
    const components = readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .flatMap((file) => parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')))
      .map((document) => document.toJS() as { metadata?: { name?: string }; spec?: { type?: string } } | null)
    const bindings = components
      .filter((component) => component?.spec?.type === 'bindings.cron')
      .map((component) => component?.metadata?.name ?? '')
    const ticking = functions.flatMap(({ fn }) => (fn.kind === 'cron' ? [fn.binding] : []))
    expect(ticking.filter((binding) => !bindings.includes(binding))).toEqual([])
  })
})
