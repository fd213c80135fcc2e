import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { connect, type SocketTarget } from '../shared/db/connect.ts'
import { readArguments } from '../shared/arguments.ts'
import { startEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { killRealProcesses } from '../testing/faults/real-processes.ts'
import recurrence from '../testing/faults/regressions.json' with { type: 'json' }
import type { SeedResult, SeedWork, Suite } from '../testing/faults/seed-thread.ts'
import reminders from '../testing/reminder-faults/regressions.json' with { type: 'json' }

// `npm run test:faults [reminders]`: kills, duplicates, losses and disorder at every step, judged by an oracle. See
// docs/faults.md.
const REGRESSIONS: Record<Suite, { seeds: number[] }> = { recurrence, reminders }

const USAGE =
  'npm run test:faults [reminders] [-- --seeds N --from N --threads N | --seed N | --real --kills N]'
const { values: options, positionals } = readArguments(USAGE, {
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    threads: { type: 'string', default: '2' },
    real: { type: 'boolean', default: false },
    kills: { type: 'string', default: '6' },
  },
})

const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '100',
  plan_cache_mode: 'force_generic_plan',
}

interface Tally {
  done: number
  steps: number
  commands: number
  broken: SeedResult[]
  injected: Map<string, number>
}

const suite = suiteOf(positionals)

if (options.real) {
  const violations = await killRealProcesses(Number(options.kills), (line) => console.log(line))
  process.exitCode = violations.length > 0 ? 1 : 0
} else {
  const from = Number(options.from)
  const range = Array.from({ length: Number(options.seeds) }, (_, index) => from + index)
  const seeds = options.seed ? [Number(options.seed)] : [...new Set([...REGRESSIONS[suite].seeds, ...range])]
  process.exitCode = await runSeeds(seeds, options.seed !== undefined)
}

function suiteOf([name = 'recurrence']: readonly string[]): Suite {
  if (name in REGRESSIONS) return name as Suite
  throw new Error(`There is no suite ${name}; there are ${Object.keys(REGRESSIONS).join(' and ')}.`)
}

async function runSeeds(seeds: readonly number[], isVerbose: boolean): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-faults-'))
  chmodSync(directory, 0o755)
  const server = await startEmbeddedPostgres(directory, SETTINGS)
  const tally: Tally = { done: 0, steps: 0, commands: 0, broken: [], injected: new Map() }
  const startedAt = Date.now()
  const note = (result: SeedResult) => {
    count(tally, result)
    if (isVerbose) console.log(result.story.join('\n'))
    else progress(tally, seeds.length, startedAt)
    if (result.violations.length > 0) tell(result)
  }
  try {
    const threads = Math.min(Number(options.threads), seeds.length)
    const shares = Array.from({ length: threads }, (_, nth) =>
      seeds.filter((__, index) => index % threads === nth),
    )
    await Promise.all(
      shares.map((share, nth) => runShare(server.as('superuser'), { nth, share, isVerbose, note })),
    )
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  report(tally)
  return tally.broken.length > 0 ? 1 : 0
}

interface Share {
  nth: number
  share: readonly number[]
  isVerbose: boolean
  note: (result: SeedResult) => void
}

async function runShare(server: SocketTarget, { nth, share, isVerbose, note }: Share): Promise<void> {
  const target = { ...server, database: `faults_${nth}` }
  const admin = connect(server, { max: 1, applicationName: 'faults' })
  await admin.unsafe(`create database ${target.database}`)
  await admin.end()
  const work: SeedWork = { suite, target, seeds: share, isVerbose }
  const thread = new Worker(new URL('../testing/faults/seed-thread.ts', import.meta.url), {
    workerData: work,
  })
  await new Promise<void>((resolve, reject) => {
    thread.on('message', note)
    thread.on('error', reject)
    thread.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`))))
  })
}

function count(tally: Tally, result: SeedResult): void {
  tally.done += 1
  tally.steps += result.steps
  tally.commands += result.commands
  if (result.violations.length > 0) tally.broken.push(result)
  for (const [what, times] of result.injected)
    tally.injected.set(what, (tally.injected.get(what) ?? 0) + times)
}

function progress({ done, broken }: Tally, total: number, startedAt: number): void {
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  const line = `${done} of ${total} seeds, ${broken.length} broken, ${seconds} s`
  if (process.stdout.isTTY) process.stdout.write(`\r${line}${done === total ? '\n' : ''}`)
  else if (done === total || done % Math.ceil(total / 10) === 0) console.log(line)
}

function tell({ seed, violations }: SeedResult): void {
  console.log(`\nSeed ${seed} breaks ${violations.length} promises:`)
  for (const { rule, detail } of violations.slice(0, 10)) console.log(`  ${rule}: ${detail.slice(0, 600)}`)
}

function report({ done, steps, commands, broken, injected }: Tally): void {
  const times = (prefix: string) =>
    [...injected]
      .filter(([what]) => what.startsWith(prefix))
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, count]) => `  ${String(count).padStart(6)}  ${what}`)
  const kills = times('kill at ')
  const others = times('').filter((line) => !line.includes('kill at '))
  console.log(`${done} seeds: ${commands} commands in ${steps} steps. What injected:\n${others.join('\n')}`)
  console.log(`Killed at ${kills.length} kinds of steps, most often:\n${kills.slice(0, 25).join('\n')}`)
  if (broken.length === 0) return
  const seeds = broken.map(({ seed }) => seed).toSorted((a, b) => a - b)
  console.log(
    `\nBroken seeds: ${seeds.join(', ')}. Replay one with: npm run test:faults -- ${suite} --seed ${seeds[0]}`,
  )
  const folder = suite === 'reminders' ? 'reminder-faults' : 'faults'
  console.log(`Keep those that taught something in testing/${folder}/regressions.json.`)
}
