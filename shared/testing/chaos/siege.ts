import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from '../faults/oracle.ts'
import type { Random } from '../faults/random.ts'
import type { Round } from './load.ts'
import type { Strike } from './strikes.ts'

export interface Siege {
  /** Of every kind one. */
  first: readonly Strike[]
  all: readonly Strike[]
  random: Random
  /** For how long, the wait for what was struck last not included. */
  strikeMs: number
  /** The longest pause between two strikes. */
  pauseMs: number
  /** Every kind first strikes by itself, so that its own effect is seen and measured. */
  isApart: boolean
  rounds: readonly Round[]
  fault: Fault
  say: (line: string) => void
  signal: AbortSignal
}

export interface Struck {
  name: string
  /** Until what was struck was back. */
  backMs: number
  /** The longest that the watcher waited for a next occurrence meanwhile; null when other strikes fell into that time. */
  waitMs: number | null
}

/** After a strike by itself, occurrences have to flow within this. */
const FLOWS_WITHIN_MS = 120_000
const SHORTEST_PAUSE_MS = 500

/** Strikes until the time is over: every kind once, then what chance brings. Resolves when all that was struck is back. */
export async function strikeAtRandom(siege: Siege): Promise<Struck[]> {
  const { first, all, random, strikeMs, pauseMs, isApart, signal } = siege
  const startedAt = Date.now()
  const struck: Struck[] = []
  const pause = () => delay(SHORTEST_PAUSE_MS + random.below(pauseMs), undefined, { signal }).catch(() => {})
  const queue = shuffle(first, random)
  if (isApart) {
    for (const strike of queue.splice(0)) {
      await pause()
      if (!signal.aborted) struck.push(...(await strikeAlone(strike, siege)))
    }
  }
  const underWay: Promise<void>[] = []
  while (!signal.aborted && (queue.length > 0 || Date.now() - startedAt < strikeMs)) {
    await pause()
    const next = queue.shift() ?? random.pick(all)
    const isStanding = next.victims.every(({ isUp }) => isUp)
    if (isStanding) underWay.push(run(next, siege).then((one) => void struck.push(...one)))
    else if (first.includes(next) && !struck.some(({ name }) => name === next.name)) queue.push(next)
  }
  await Promise.all(underWay)
  return struck
}

async function run({ name, run: strike }: Strike, { fault, say }: Siege): Promise<Struck[]> {
  const at = Date.now()
  say(name)
  try {
    await strike()
    const backMs = Date.now() - at
    say(`over after ${seconds(backMs)}: ${name}`)
    return [{ name, backMs, waitMs: null }]
  } catch (error) {
    fault('what dies comes back', `${name}: ${String(error)}`)
    return []
  }
}

/** Strikes and waits until occurrences flow again. */
async function strikeAlone(strike: Strike, siege: Siege): Promise<Struck[]> {
  const at = Date.now()
  const [struck] = await run(strike, siege)
  if (!struck) return []
  const backAt = Date.now()
  const { rounds, fault, signal } = siege
  while (!rounds.some(({ begunAt }) => begunAt >= backAt) && !signal.aborted) {
    if (Date.now() - backAt > FLOWS_WITHIN_MS) {
      fault('occurrences flow again', `not within ${seconds(FLOWS_WITHIN_MS)} after: ${strike.name}`)
      return [struck]
    }
    await delay(50)
  }
  const during = rounds.filter(({ endedAt }) => endedAt >= at)
  const waitMs = Math.max(...during.map(({ begunAt, endedAt }) => endedAt - begunAt))
  siege.say(`the longest wait for a next occurrence: ${seconds(waitMs)}`)
  return [{ ...struck, waitMs }]
}

function shuffle<T>(list: readonly T[], random: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(random.below(left.length), 1)[0]!)
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
