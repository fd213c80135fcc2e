import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { bundle } from '../scripts/image/bundles.ts'
import { fillCompileCache } from '../scripts/image/compile-cache.ts'
import { COMPILE_CACHE } from '../scripts/image/layout.ts'
import { socketUrl } from '../shared/db/connect.ts'
import { prepareDatabase } from '../shared/db/prepare-database.ts'
import { freePorts } from '../tools/ports.ts'
import { report } from './report.ts'

const ROUNDS = 15
const LIMIT_MS = 10_000
/** What any program of Node takes that answers requests. */
const BARE = `import { createServer } from 'node:http'
createServer((_, response) => response.end()).listen(process.argv[2], '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

interface Start {
  ms: number
  cpuMs: number
  residentMiB: number
}

/** From the start of a process to its first answer, for each unit as the image has it, with its compiled code. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(folder, 0o755)
  const database = await startEmbeddedPostgres(join(folder, 'data'))
  try {
    await prepareDatabase({ target: database.target, ownerTarget: database.as('owner') })
    const app = join(folder, 'app')
    const { programs } = await bundle(app)
    fillCompileCache(app, { programs, node: process.execPath, userId: process.getuid!() })
    writeFileSync(join(app, 'bare.mjs'), BARE)
    const units = programs.filter((name) => /-(api|worker)$|^edge$/.test(name))
    const starts = new Map<string, Start[]>(['bare', ...units].map((name) => [name, []]))
    // In turn, so that whatever else the machine does meets all of them.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, all] of starts)
        all.push(await startOnce(join(app, `${name}.mjs`), app, socketUrl(database.target)))
    }
    report('cold-start', {
      versions: { node: process.versions.node, postgresql: '18.4' },
      dataset: `Each ${ROUNDS} times, in turn. \`bare\`: a program of Node that does nothing but answer.`,
      figures: [],
      tables: [tableOf(starts)],
      notes: [
        'a start ends with the first answer to /livez; the database is there, and nobody asks a sidecar',
      ],
    })
  } finally {
    await database.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startOnce(program: string, app: string, databaseUrl: string): Promise<Start> {
  const [port] = await freePorts(1)
  const startedAt = performance.now()
  // Arguments of a unit would be functions.
  const args = program.endsWith('/bare.mjs') ? [String(port)] : []
  const child = spawn(process.execPath, [program, ...args], {
    env: {
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DATABASE_POOL: '4',
      APP_API_TOKEN: 'bench',
      LOG_LEVEL: 'error',
      NODE_COMPILE_CACHE: join(app, COMPILE_CACHE),
      NODE_COMPILE_CACHE_PORTABLE: '1',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    while (!(await answers(port!))) {
      if (child.exitCode !== null || performance.now() - startedAt > LIMIT_MS)
        throw new Error(`${program} did not start`)
      await delay(1)
    }
    const ms = performance.now() - startedAt
    const [user = 0, system = 0] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .split(' ')
      .slice(13, 15)
      .map(Number)
    const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1])
    return { ms, cpuMs: (user + system) * 10, residentMiB: (pages * 4096) / 2 ** 20 }
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/livez', agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode === 200))
    }).once('error', () => resolve(false))
  })

function tableOf(starts: ReadonlyMap<string, readonly Start[]>): string[] {
  const at = (all: readonly Start[], of: (start: Start) => number, share: number) => {
    const sorted = all.map(of).toSorted((a, b) => a - b)
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
  }
  const rows = [...starts].map(
    ([name, all]) =>
      `| ${name} | ${at(all, ({ ms }) => ms, 0)} | ${at(all, ({ ms }) => ms, 0.5)} | ${at(all, ({ ms }) => ms, 0.95)} | ${at(all, ({ cpuMs }) => cpuMs, 0.5)} | ${at(all, ({ residentMiB }) => residentMiB, 0.5)} |`,
  )
  return [
    '| program | least ms | p50 ms | p95 ms | processor ms | resident MiB |',
    '|---|---|---|---|---|---|',
    ...rows,
  ]
}
