import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startChild } from './abuse/child.ts'
import { createClient } from './abuse/http.ts'
import { gatherInnocents, type Innocents, type Window } from './abuse/innocents.ts'
import {
  at,
  exceededBy,
  brokenByLone,
  MAX_BUSY_MS,
  MAX_TIMES_QUIET,
  quietOf,
  wrongIn,
  type Flood,
} from './abuse/judge.ts'
import { measureLoneRequests } from './abuse/lone-requests.ts'
import { SCENARIOS, type Scenario, type Stage } from './abuse/scenarios.ts'
import { floodTable, latenciesOf, loneTable, quietTable } from './abuse/table.ts'
import type { Watched } from './abuse/watch.ts'
import { figuresOf } from './measure.ts'
import { report } from './report.ts'

const WHOLE = { floodMs: 15_000, quietMs: 4000 }
/** The same floods, for continuous integration. */
const SHORT = { floodMs: 3000, quietMs: 1000 }
/** The innocent begin when the attack has. */
const AHEAD_MS = 200
const SETTLE_WITHIN_MS = 60_000
/** Of a flood in which a limit was exceeded. */
const MAX_RUNS = 3
/** Beyond this p99 in quiet times, times say little. */
const BUSY_MACHINE_MS = 50
/** A server that answers so fast twice in a row has nothing else to do. */
const CALM_MS = 50

/**
 * What innocent users get while others attack: `npm run bench abuse`, with `-- --short` for a shorter run and with words
 * for the scenarios that have one of them in their name. Fails at the first wrong answer, and when a limit is exceeded in
 * each of two runs: a rented machine stands still now and then.
 */
export async function run(args: readonly string[]): Promise<void> {
  const isShort = args.includes('--short')
  const words = args.filter((word) => !word.startsWith('--'))
  const isWanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word))
  const { floodMs, quietMs } = isShort ? SHORT : WHOLE
  const startedAt = performance.now()
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)

  const { stage, end } = await startStage(isShort)
  try {
    const lone = isWanted('one at a time') ? await measureLoneRequests(stage, say) : []
    const innocents = await gatherInnocents(stage.url)
    const broken = brokenByLone(lone)
    const floods: { flood: Flood; quiet: ReturnType<typeof quietOf> }[] = []
    await innocents.work(quietMs) // the first requests are compiled as they run
    const calm: Window[] = [await innocents.work(quietMs)]
    for (const scenario of SCENARIOS.filter(({ name }) => isWanted(name))) {
      let slow: string[] = []
      for (let run = 1; run === 1 || (run <= MAX_RUNS && slow.length > 0); run += 1) {
        const flood = await flooded(stage, {
          innocents,
          scenario,
          ms: (!isShort && scenario.wholeMs) || floodMs,
        })
        calm.push(await innocents.work(quietMs))
        const quiet = quietOf(calm.slice(-2), calm)
        floods.push({ flood, quiet })
        slow = exceededBy(flood, quiet)
        const wrong = [...wrongIn(flood), ...wrongAfter(scenario.name, calm.at(-1)!)]
        broken.push(...wrong)
        say(`${scenario.name}: ${[...wrong, ...slow].join('; ') || 'every promise kept'}`)
        for (const sentence of flood.innocent.wrong.slice(0, 5)) say(`    ${sentence}`)
      }
      broken.push(...slow)
    }
    await innocents.close()
    present({ lone, calm, floods, broken, isKept: !isShort && words.length === 0 })
    if (broken.length > 0) process.exitCode = 1
  } finally {
    await end()
  }
}

const wrongAfter = (scenario: string, { wrong }: Window): string[] =>
  wrong.length > 0 ? [`after ${scenario}: ${wrong.length} wrong answers, such as ${wrong[0]}`] : []

async function flooded(
  stage: Stage,
  { innocents, scenario, ms }: { innocents: Innocents; scenario: Scenario; ms: number },
): Promise<Flood> {
  const { url, server, attacker } = stage
  stage.round += 1
  const plan = await scenario.prepare(stage)
  await settle(stage)
  await server.ask('rest')
  await server.ask('watched')
  await scenario.begin?.(stage, plan)
  const attack = attacker.ask<Record<string, number>>('attack', {
    url,
    plan,
    name: scenario.attack,
    ms: ms + AHEAD_MS,
  })
  await delay(AHEAD_MS)
  const innocent = await innocents.work(ms)
  const got = await attack
  const watched = await server.ask<Watched>('watched')
  const told = (await scenario.end?.(stage)) ?? ''
  const settledIn = await settle(stage)
  return { scenario: scenario.name, got, told, innocent, server: watched, settledIn }
}

/** Waits until nothing of what was asked for is still to be done; resolves to how many seconds that took. */
async function settle({ url, server }: Stage): Promise<number> {
  const client = createClient(url, { connections: 1 })
  const startedAt = performance.now()
  const passed = () => performance.now() - startedAt
  for (let calm = 0; calm < 2 && passed() < SETTLE_WITHIN_MS; await delay(50)) {
    const { status, ms } = await client.ask('GET', '/livez')
    const isIdle = status === 200 && ms < CALM_MS && (await server.ask<number>('waiting')) === 0
    calm = isIdle ? calm + 1 : 0
  }
  await client.close()
  return Math.round(passed() / 100) / 10
}

async function startStage(isShort: boolean): Promise<{ stage: Stage; end: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(directory, 0o755)
  const server = await startChild('abuse-server.ts', {
    env: {
      PORT: '0',
      DAYBOOK_DATA_DIR: directory,
      DATABASE_URL: '',
      // The innocent come from addresses of their own; attackers may register webhooks on this machine.
      TRUSTED_PROXIES: '127.0.0.1',
      OUTBOUND_ALLOW: '127.0.0.0/8',
      // All webhooks are of two hosts, and it is not their limit that is to hold.
      MAX_FIRST_MESSAGES_PER_HOST: '0',
      MAX_DELIVERIES_PER_HOST: '0',
    },
    execArgv: ['--expose-gc'],
  })
  const attacker = await startChild('abuse-attacker.ts')
  return {
    stage: { server, attacker, isShort, url: server.ready['url']!, round: 0 },
    end: async () => {
      await Promise.all([attacker.stop(), server.stop()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Results {
  lone: Awaited<ReturnType<typeof measureLoneRequests>>
  calm: readonly Window[]
  floods: readonly { flood: Flood; quiet: ReturnType<typeof quietOf> }[]
  broken: readonly string[]
  isKept: boolean
}

function present({ lone, calm, floods, broken, isKept }: Results): void {
  const figures = (name: string, windows: readonly Window[]) =>
    figuresOf(name, {
      connections: 8,
      seconds: windows.reduce((sum, { seconds }) => sum + seconds, 0),
      latencies: windows.flatMap(latenciesOf),
      failed: windows.reduce((sum, { wrong }) => sum + wrong.length, 0),
    })
  const own = Math.max(
    ...[...calm, ...floods.map(({ flood }) => flood.innocent)].map((one) => one.ownDelayMs),
  )
  const p99 = Math.round(at(0.99, calm.flatMap(latenciesOf)))
  report(
    'abuse',
    {
      versions: { node: process.versions.node, postgresql: '18.4', daybook: '0.1.0' },
      dataset:
        '8 innocent users (connections), each ten requests a second whose every answer is checked, beside one attack after another; the default limits, but none per host of webhooks, for all hosts are this machine. A line that comes again was run again, because a limit had been exceeded.',
      figures: [
        figures('quiet', calm),
        ...floods.map(({ flood }) => figures(flood.scenario, [flood.innocent])),
      ],
      tables: [quietTable(calm), floodTable(floods), loneTable(lone)],
      notes: [
        `promised: 0 wrong answers; nothing slower than ${MAX_TIMES_QUIET} × its quiet p99, of which less than 20 ms (250 ms for what follows by itself) counts as that; one request keeps the loop for ${MAX_BUSY_MS} ms at most; memory within its limit`,
        `"loop delay" is the worst of monitorEventLoopDelay and holds pauses of the machine; "loop busy" is processor time of the main thread between two turns of the loop, of all requests that came together`,
        `the loop of the process that measures was late by ${own} ms at most, which is added to the limits`,
        `the innocent waited ${p99} ms at most for 99 of 100 answers in quiet times${p99 > BUSY_MACHINE_MS ? ': the machine was busy with something else, so the limits are wide' : ''}`,
        broken.length === 0 ? 'every promise was kept' : `broken: ${broken.join('; ')}`,
      ],
    },
    !isKept,
  )
}
