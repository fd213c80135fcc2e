/**
 * `npm run test:mcp`: the official conformance suite and the command line of the Inspector against a Daybook that runs
 * (`npm start`, or PUBLIC_URL). Both are fetched by npx, because they are hundreds of packages that nothing else needs.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../shared/arguments.ts'
import { readConfig } from '../shared/config.ts'
import { SCOPES } from '../shared/domain/scopes.ts'

const CONFORMANCE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0'
const REVISIONS = ['2026-07-28', '2025-11-25']

readArguments('npm run test:mcp', {})
const { http } = readConfig()
const base = `http://${http.host}:${http.port}`
const work = mkdtempSync(join(tmpdir(), 'daybook-mcp-'))

async function post(path: string, body: object, token?: string): Promise<Record<string, string>> {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  const answer = await fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Record<string, string>
}

/** The suite cannot send a token, so it speaks with an address of this machine that adds one. */
async function authenticated(token: string) {
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` }
    const passed = request(base + (incoming.url ?? ''), { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return proxy
}

/** Resolves to its exit code. HOME is a folder of this run: the Inspector keeps tokens there. */
async function run(packageName: string, command: string, args: readonly string[]): Promise<number> {
  const npx = spawn(
    'npx',
    ['--yes', '--ignore-scripts', `--package=${packageName}`, '--', command, ...args],
    {
      cwd: work,
      stdio: 'inherit',
    },
  )
  const [code] = (await once(npx, 'exit')) as [number | null]
  return code ?? 1
}

const account = { email: `${randomUUID()}@example.org`, password: randomUUID() }
const { access_token: session } = await post('/api/auth/register', account)
const { 'account:export': _none, ...scopes } = SCOPES
const { token } = await post('/api/tokens', { name: 'Conformance', scopes: Object.keys(scopes) }, session)
const proxy = await authenticated(token!)
const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/mcp`
const codes: number[] = []
for (const revision of REVISIONS) {
  const failures = fileURLToPath(new URL(`../testing/mcp/expected-failures-${revision}.yml`, import.meta.url))
  const args = ['server', '--url', url, '--requirements', revision, '--expected-failures', failures]
  codes.push(await run(CONFORMANCE, 'conformance', args))
}
for (const era of ['modern', 'legacy']) {
  const call = [
    '--method',
    'tools/call',
    '--tool-name',
    'list_tasks',
    '--format',
    'json',
    '--protocol-era',
    era,
  ]
  codes.push(await run(INSPECTOR, 'mcp-inspector', ['--cli', url, '--transport', 'http', ...call]))
}
proxy.close()
rmSync(work, { recursive: true })
console.log(codes.every((code) => code === 0) ? 'All as expected.' : `Exit codes: ${codes.join(', ')}`)
process.exitCode = Math.max(...codes)
