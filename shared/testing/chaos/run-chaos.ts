import type { BrokerName } from '../../../scripts/self-hosted/broker.ts'
import { startSelfHosted, type SelfHosted } from '../../../scripts/self-hosted/start-self-hosted.ts'
import { readConfig } from '../../config.ts'
import { connect, type Sql } from '../../db/connect.ts'
import type { Violation } from '../faults/oracle.ts'
import { createRandom } from '../faults/random.ts'
import { register, type Person } from './client.ts'
import { checkShown, judge, type Evidence } from './judge.ts'
import { isCaughtUp } from './lag.ts'
import { beBusy, watchFlow, type Round, type Work } from './load.ts'
import { startObserver, type Observer } from './observer.ts'
import { comesToRest } from './quiet.ts'
import { blindSpots } from './sabotage.ts'
import { seconds, strikeAtRandom, type Siege } from './siege.ts'
import { strikesOf } from './strikes.ts'
import { summary } from './summary.ts'

export interface ChaosOptions extends Pick<Siege, 'strikeMs' | 'pauseMs' | 'isApart' | 'say' | 'signal'> {
  /** Data and logs of the run. */
  dataDir: string
  broker: BrokerName
  seed: number
  outageMs: number
}

const PEOPLE = 4
/** Each person does so many things at a time. */
const HANDS = 2
const RESTS_WITHIN_MS = 120_000
const CAUGHT_UP_WITHIN_MS = 60_000

/** Runs Daybook on real Dapr under load while its parts are killed; resolves to the promises that it broke. */
export async function runChaos(options: ChaosOptions): Promise<Violation[]> {
  const { dataDir, broker, say, signal } = options
  const config = readConfig({ PORT: '0', DAYBOOK_DATA_DIR: dataDir, LOG_LEVEL: 'info' })
  let isQuiet = true
  const tell = (line: string) => {
    if (!isQuiet) say(`  ${line}`)
  }
  const daybook = await startSelfHosted({ config, broker, say: tell, signal })
  const sql = connect(daybook.databaseUrl, { max: 8, applicationName: 'chaos' })
  let observer: Observer | undefined
  try {
    observer = await startObserver(daybook, broker, tell)
    isQuiet = false
    say(`Daybook runs on ${broker} with ${daybook.parts.size} parts`)
    return await attack({ ...options, daybook, observer, sql })
  } finally {
    isQuiet = true
    await sql.end({ timeout: 1 })
    await observer?.stop()
    await daybook.stop()
  }
}

interface Scene extends ChaosOptions {
  daybook: SelfHosted
  observer: Observer
  sql: Sql
}

async function attack(scene: Scene): Promise<Violation[]> {
  const { daybook, observer, broker, seed, outageMs, say, signal } = scene
  const violations: Violation[] = []
  const fault = (rule: string, detail: string) => violations.push({ rule, detail })
  const load = await startLoad(scene)
  const random = createRandom(seed)
  const strikes = strikesOf({ daybook, broker, observer: observer.sidecar, outageMs, random })
  const siege = { ...scene, ...strikes, random, rounds: load.rounds, fault }
  const struck = await Promise.race([strikeAtRandom(siege), load.failure])
  signal.throwIfAborted()
  say('no more strikes; waiting until all is quiet')
  await load.end()
  const endedAt = Date.now()
  await rest(scene, fault)
  say(`quiet after ${seconds(Date.now() - endedAt)}`)
  const told = await judgeAll(scene, load.people, fault)
  for (const line of summary({ ...load, ...told, struck, taskEvents: observer.deliveries('task-events') }))
    say(line)
  return violations
}

interface Load {
  people: readonly Person[]
  rounds: readonly Round[]
  /** Rejects when the load itself goes wrong; never resolves. */
  failure: Promise<never>
  /** Lets everyone finish what they are at. */
  end(): Promise<void>
}

async function startLoad({ daybook, sql, seed }: Scene): Promise<Load> {
  const { url } = daybook
  const emails = Array.from({ length: PEOPLE + 1 }, (_, nth) => `person-${nth}@example.org`)
  const people = await Promise.all(emails.map((email) => register(url, email)))
  const [watcher, ...workers] = people as [Person, ...Person[]]
  const work: Work = { url, sql, isOver: false }
  const rounds: Round[] = []
  const hands = workers.flatMap((person) => Array.from({ length: HANDS }, () => person))
  const busy = [
    watchFlow(work, watcher, { random: createRandom(seed + 1), rounds }),
    ...hands.map((person, nth) => beBusy(work, person, createRandom(seed + 2 + nth))),
  ]
  const failure = new Promise<never>((_, reject) => {
    for (const one of busy) one.catch(reject)
  })
  failure.catch(() => {}) // whoever waits for it is told
  const end = async () => {
    work.isOver = true
    await Promise.all(busy)
  }
  return { people, rounds, failure, end }
}

async function rest(
  { daybook, observer, sql, broker }: Scene,
  fault: (rule: string, detail: string) => void,
) {
  const parts = [...daybook.parts.values(), observer.sidecar]
  const moving = await comesToRest({ sql, parts, observer }, RESTS_WITHIN_MS)
  if (moving !== null) fault('everything comes to rest', moving)
  const behind = await isCaughtUp(broker, daybook.ports.broker[0]!, CAUGHT_UP_WITHIN_MS)
  if (behind !== null) fault('every consumer catches up', behind)
}

/** Judges everyone; when nothing is found, breaks the result by hand to see that the oracle would have noticed. */
async function judgeAll(
  { daybook, observer, sql, broker }: Scene,
  people: readonly Person[],
  fault: (rule: string, detail: string) => void,
): Promise<{ events: number; sweeps: number }> {
  const evidence: Evidence = { deliveries: observer.deliveries, isOrdered: broker === 'kafka' }
  const told = { events: 0, sweeps: 0 }
  let isClean = true
  const note = (rule: string, detail: string) => {
    isClean = false
    fault(rule, detail)
  }
  for (const person of people) {
    const found = await judge(sql, person, evidence, note)
    await checkShown(daybook.url, person, found, note)
    told.events += found.events.length
    told.sweeps += found.replay.sweeps
  }
  const { deadLetters } = observer
  if (deadLetters.length > 0) note('no message is given up', deadLetters.join(' ').slice(0, 2000))
  if (isClean) {
    const unnoticed = await blindSpots(sql, people[1]!, evidence)
    for (const flaw of unnoticed) fault('the oracle notices what is broken by hand', flaw)
  }
  return told
}
