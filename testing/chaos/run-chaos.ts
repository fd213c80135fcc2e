import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerName } from '../../profiles/self-hosted/broker.ts'
import { startSelfHosted, type SelfHosted } from '../../profiles/self-hosted/start-self-hosted.ts'
import { readConfig } from '../../shared/config.ts'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { checkReplay, type Fault, type Violation } from '../faults/oracle.ts'
import { confirmAddress, mailsIn } from '../worlds/mailbox.ts'
import { createRandom } from '../faults/random.ts'
import { ask, register, type Person } from './client.ts'
import { checkStrangers } from './judge-reminders.ts'
import { checkShown, judge, type Evidence } from './judge.ts'
import { isCaughtUp, redisInHand } from './lag.ts'
import { beBusy, watchFlow, type Round, type Work } from './load.ts'
import { OBSERVED, OBSERVER, startObserver, type Observer } from './observer.ts'
import { comesToRest } from './quiet.ts'
import { blindSpots } from './sabotage.ts'
import { startReceivers, type Receivers } from './receivers.ts'
import { giveWebhook } from './reminder-load.ts'
import type { Firing } from './reminder-model.ts'
import { seconds, disruptAtRandom, type Soak } from './soak.ts'
import { disruptionsOf } from './disruptions.ts'
import { summary } from './summary.ts'

export interface ChaosOptions extends Pick<Soak, 'disruptMs' | 'pauseMs' | 'isApart' | 'say' | 'signal'> {
  /** Data and logs of the run. */
  dataDir: string
  broker: BrokerName
  seed: number
  outageMs: number
  /** Waits as long as it takes until the broker has given out everything. */
  isPatient: boolean
}

/** daprd tells the same failure three times in one line. */
const MAX_LINE_LENGTH = 140
const PEOPLE = 4
/** Each person does so many things at a time. */
const HANDS = 2
/** A mail whose sidecar was away for longer than half a minute is tried again after five. */
const RESTS_WITHIN_MS = 420_000
/** What a killed sidecar had in hand is given out again after eight minutes. */
const REDIS_RESTS_WITHIN_MS = 600_000
const SWEEP_EVERY_MS = 10_000
const CAUGHT_UP_WITHIN_MS = 60_000

/** Runs Daybook on real Dapr under load while its parts are killed; resolves to the promises that it broke. */
export async function runChaos(options: ChaosOptions): Promise<Violation[]> {
  const { dataDir, broker, say, signal } = options
  const config = readConfig({
    PORT: '0',
    DAYBOOK_DATA_DIR: dataDir,
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_SECOND: '0',
    OUTBOUND_ALLOW: '127.0.0.1',
    MAIL_FROM: 'Daybook <daybook@daybook.example>', // whom web push names
    MAX_MAILS_PER_HOUR: '0', // each firing is to be a mail of its own
    MAX_FIRST_MESSAGES_PER_HOST: '0', // all webhooks are of one host
    MAX_DELIVERIES_PER_HOST: '0',
  })
  let isQuiet = true
  const tell = (line: string) => {
    if (!isQuiet) say(`  ${line.slice(0, MAX_LINE_LENGTH)}`)
  }
  const daybook = await startSelfHosted({ config, broker, say: tell, signal })
  const sql = connect(daybook.databaseUrl, { max: 8, applicationName: 'chaos' })
  const receivers = await startReceivers()
  let observer: Observer | undefined
  try {
    observer = await startObserver(daybook, broker, tell)
    isQuiet = false
    say(`Daybook runs on ${broker} with ${daybook.parts.size} parts`)
    return await attack({ ...options, daybook, observer, receivers, sql })
  } finally {
    isQuiet = true
    receivers.stop()
    await sql.end({ timeout: 1 })
    await observer?.stop()
    await daybook.stop()
  }
}

interface Scene extends ChaosOptions {
  daybook: SelfHosted
  observer: Observer
  receivers: Receivers
  sql: Sql
}

async function attack(scene: Scene): Promise<Violation[]> {
  const { dataDir, daybook, observer, receivers, broker, seed, outageMs, say, signal } = scene
  const violations: Violation[] = []
  const fault: Fault = (rule, detail) => violations.push({ rule, detail })
  const load = await startLoad(scene)
  const random = createRandom(seed)
  const disruptions = disruptionsOf({ daybook, broker, observer: observer.sidecar, outageMs, random })
  const soak = { ...scene, ...disruptions, random, rounds: load.rounds, fault }
  const recoveries = await Promise.race([disruptAtRandom(soak), load.failure])
  signal.throwIfAborted()
  say('no more disruptions; waiting until all is quiet')
  await load.end()
  const endedAt = Date.now()
  const inHand = await rest(scene, fault)
  say(`quiet after ${seconds(Date.now() - endedAt)}`)
  const arrived = { hooks: receivers.hooks, mails: mailsIn(join(dataDir, 'mailbox')) }
  await streamsCatchUp(scene, load.people)
  const evidence: Evidence = {
    deliveries: observer.deliveries,
    isOrdered: broker === 'kafka',
    inHand,
    arrived,
  }
  const told = await judgeAll(scene, { people: load.people, evidence }, fault)
  for (const line of summary({
    ...load,
    ...told,
    ...arrived,
    returns: receivers.returns,
    recoveries,
    taskEvents: observer.deliveries('task-events'),
  }))
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

async function startLoad({ dataDir, daybook, receivers, sql, seed }: Scene): Promise<Load> {
  const { url } = daybook
  const emails = Array.from({ length: PEOPLE + 1 }, (_, nth) => `person-${nth}@example.org`)
  const people = await Promise.all(emails.map((email) => register(url, email)))
  for (const person of people) {
    await confirmAddress(join(dataDir, 'mailbox'), person.email, (path, body) =>
      ask(url, null, { method: 'POST', path, body }),
    )
    await giveWebhook(url, person, receivers.hookUrl)
    receivers.listen(url, person)
  }
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

/** Waits for the end of all work. Resolves to what the broker still has in hand for the observer, by topic. */
async function rest(scene: Scene, fault: Fault): Promise<Evidence['inHand']> {
  const { daybook, observer, sql, broker, isPatient } = scene
  const parts = [...daybook.parts.values(), observer.sidecar]
  const port = daybook.ports.broker[0]!
  const isHeld = broker === 'redis' && !isPatient
  const inHand = async (topic: string) =>
    isHeld ? await redisInHand(port, topic, OBSERVER) : new Set<string>()
  const limitMs = broker === 'redis' && isPatient ? REDIS_RESTS_WITHIN_MS : RESTS_WITHIN_MS
  const sweeping = setInterval(() => void (isHeld && sweep(daybook)), SWEEP_EVERY_MS)
  const moving = await comesToRest({ sql, parts, observer, inHand }, limitMs)
  clearInterval(sweeping)
  if (moving !== null) fault('everything comes to rest', moving)
  const behind = await isCaughtUp(broker, port, CAUGHT_UP_WITHIN_MS)
  if (behind !== null) fault('every consumer catches up', behind)
  return new Map(await Promise.all(OBSERVED.map(async (topic) => [topic, await inHand(topic)] as const)))
}

/** A stream that broke last is back within moments; what it has not brought then, it has lost. */
async function streamsCatchUp({ sql, receivers }: Scene, people: readonly Person[]): Promise<void> {
  const rows = await sql<{ user_id: string; shown: number }[]>`
    select user_id, count(*)::int as shown from notifications where seq is not null group by user_id`
  const shown = new Map(rows.map((row) => [row.user_id, row.shown]))
  const isBehind = (person: Person) => receivers.heard(person).length < (shown.get(person.id) ?? 0)
  for (const end = Date.now() + CAUGHT_UP_WITHIN_MS; Date.now() < end && people.some(isBehind);)
    await delay(100)
}

/** The tick that comes every five minutes, early: a short run does not wait for what Redis gives out again after eight. */
async function sweep({ ports, tokensOf }: SelfHosted): Promise<void> {
  const { app } = ports.units.get('recurrence-worker')!
  const headers = { 'dapr-api-token': tokensOf('recurrence-worker').app }
  await fetch(`http://127.0.0.1:${app}/dapr/cron/sweep-series-cron`, { method: 'POST', headers }).catch(
    () => {},
  )
}

/** Judges everyone; when nothing is found, breaks the result by hand to see that the oracle would have noticed. */
async function judgeAll(
  { daybook, observer, receivers, sql }: Scene,
  { people, evidence }: { people: readonly Person[]; evidence: Evidence },
  fault: Fault,
): Promise<{ events: number; sweeps: number; firings: Firing[] }> {
  const told: { events: number; sweeps: number; firings: Firing[] } = { events: 0, sweeps: 0, firings: [] }
  let isClean = true
  const note: Fault = (rule, detail) => {
    isClean = false
    fault(rule, detail)
  }
  for (const person of people) {
    const found = await judge(sql, person, evidence, note)
    await checkReplay(sql, person.id, note)
    await checkShown(daybook.url, person, { ...found, heard: receivers.heard(person) }, note)
    told.events += found.events.length
    told.sweeps += found.replay.sweeps
    told.firings.push(...found.firings)
  }
  await checkStrangers(sql, evidence.arrived, note)
  const { deadLetters } = observer
  if (deadLetters.length > 0) note('no message is given up', deadLetters.join(' ').slice(0, 2000))
  if (isClean) {
    const unnoticed = await blindSpots(sql, people[1]!, evidence)
    for (const flaw of unnoticed) fault('the oracle notices what is broken by hand', flaw)
  }
  return told
}
