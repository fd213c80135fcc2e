import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from '../faults/oracle.ts'
import type { Random } from '../faults/random.ts'
import type { Round } from './load.ts'
import type { Disruption } from './disruptions.ts'

export interface Soak {
  /** Of every kind one. */
  first: readonly Disruption[]
  all: readonly Disruption[]
  random: Random
  /** For how long, the wait for what was disrupted last not included. */
  disruptMs: number
  /** The longest pause between two disruptions. */
  pauseMs: number
  /** Every kind first comes by itself, so that its own effect is seen and measured. */
  isApart: boolean
  rounds: readonly Round[]
  fault: Fault
  say: (line: string) => void
  signal: AbortSignal
}

export interface Recovery {
  name: string
  /** Until what was disrupted was back. */
  backMs: number
  /** The longest that the watcher waited for a next occurrence meanwhile; null when other disruptions fell into that time. */
  waitMs: number | null
}

/** After a disruption by itself, occurrences have to flow within this. */
const FLOWS_WITHIN_MS = 120_000
const MIN_PAUSE_MS = 500

/** Disrupts until the time is over: every kind once, then what chance brings. Resolves when all that was disrupted is back. */
export async function disruptAtRandom(soak: Soak): Promise<Recovery[]> {
  const { first, all, random, disruptMs, pauseMs, isApart, signal } = soak
  const startedAt = Date.now()
  const recoveries: Recovery[] = []
  const pause = () => delay(MIN_PAUSE_MS + random.below(pauseMs), undefined, { signal }).catch(() => {})
  const queue = shuffle(first, random)
  if (isApart) {
    for (const disruption of queue.splice(0)) {
      await pause()
      if (!signal.aborted) recoveries.push(...(await disruptAlone(disruption, soak)))
    }
  }
  const underWay: Promise<void>[] = []
  while (!signal.aborted && (queue.length > 0 || Date.now() - startedAt < disruptMs)) {
    await pause()
    const next = queue.shift() ?? random.pick(all)
    const isStanding = next.victims.every(({ isUp }) => isUp)
    if (isStanding) underWay.push(run(next, soak).then((one) => void recoveries.push(...one)))
    else if (first.includes(next) && !recoveries.some(({ name }) => name === next.name)) queue.push(next)
  }
  await Promise.all(underWay)
  return recoveries
}

async function run({ name, run: disrupt }: Disruption, { fault, say }: Soak): Promise<Recovery[]> {
  const at = Date.now()
  say(name)
  try {
    await disrupt()
    const backMs = Date.now() - at
    say(`over after ${seconds(backMs)}: ${name}`)
    return [{ name, backMs, waitMs: null }]
  } catch (error) {
    fault('what dies comes back', `${name}: ${String(error)}`)
    return []
  }
}

/** Disrupts and waits until occurrences flow again. */
async function disruptAlone(disruption: Disruption, soak: Soak): Promise<Recovery[]> {
  const at = Date.now()
  const [recovery] = await run(disruption, soak)
  if (!recovery) return []
  const backAt = Date.now()
  const { rounds, fault, signal } = soak
  while (!rounds.some(({ begunAt }) => begunAt >= backAt) && !signal.aborted) {
    if (Date.now() - backAt > FLOWS_WITHIN_MS) {
      fault('occurrences flow again', `not within ${seconds(FLOWS_WITHIN_MS)} after: ${disruption.name}`)
      return [recovery]
    }
    await delay(50)
  }
  const during = rounds.filter(({ endedAt }) => endedAt >= at)
  const waitMs = Math.max(...during.map(({ begunAt, endedAt }) => endedAt - begunAt))
  soak.say(`the longest wait for a next occurrence: ${seconds(waitMs)}`)
  return [{ ...recovery, waitMs }]
}

function shuffle<T>(list: readonly T[], random: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(random.below(left.length), 1)[0]!)
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
