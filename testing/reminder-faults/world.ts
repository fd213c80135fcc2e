import type { Preferences } from '../../shared/domain/notifications/notification-preferences.ts'
import { createTopics } from '../faults/topics.ts'
import { createWorld, type World, type WorldOptions } from '../faults/world.ts'
import { createJournal, type Journal } from './journal.ts'

/** How likely each further disturbance is, every time it could happen. */
export interface Mishaps {
  /** The scheduler forgets a job that it has taken. */
  lostJob: number
  /** A job is called back before its time, or a second time. */
  strayJob: number
  /** A job cannot be set or cancelled. */
  alarmFailure: number
  /** A tick of a cron binding does not come. */
  lostTick: number
  /** The clock of a machine jumps, forwards or backwards. */
  clockJump: number
  /** A message is not taken. */
  sendFailure: number
  /** A message is taken, and the other side fails to say so. */
  unheardSend: number
  /** A message is refused for good, or the device is gone. */
  refusedSend: number
  /** What messages go through is away for a while. */
  sendersAway: number
}

const CALM: Mishaps = {
  lostJob: 0,
  strayJob: 0,
  alarmFailure: 0,
  lostTick: 0,
  clockJump: 0,
  sendFailure: 0,
  unheardSend: 0,
  refusedSend: 0,
  sendersAway: 0,
}

export interface ReminderUser {
  id: string
  hasEmail: boolean
  timeZone: string
}

export interface ReminderWorld extends World {
  readonly disturbances: Mishaps
  /** What was committed, claimed and sent, in the order in which it happened. */
  readonly journal: Journal
  readonly users: readonly ReminderUser[]
  /** Jobs of the scheduler: reminder to the time of the callback. */
  readonly jobs: Map<string, number>
  /** Reminders that were ever asked to be called back about. */
  readonly everSet: Set<string>
  /** Workers keep their timers; else only ticks, jobs and events wake them. */
  readonly isAwake: boolean
  /** Messages cannot be sent until then. */
  sendersBackAt: number
  /** How many processes were started. */
  starts: number
  befalls(disturbance: keyof Mishaps): boolean
}

const HOUR_MS = 3_600_000
const ZONES = ['Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kolkata']
const CONSUMED = ['task-events', 'reminders', 'notification-events', 'dlq-events']

export function createReminderWorld(options: WorldOptions): ReminderWorld {
  const world = createWorld(options)
  const { random, injected } = world
  const isCalm = world.chaos.kill + world.chaos.lostConnection + world.chaos.lostAnswer === 0
  const disturbances = isCalm ? { ...CALM } : drawMishaps(world)
  Object.assign(world.chaos, { timeJump: 0.04 })
  const calmDown = world.calmDown
  // Some begin in the evening, some on the night on which clocks change.
  world.now += random.pick([0, 0, 12.5, 38]) * HOUR_MS
  const users = Array.from({ length: 1 + random.below(2) }, () => ({
    id: world.ids.uuid(),
    hasEmail: random.chance(0.8),
    timeZone: random.pick(ZONES),
  }))
  return Object.assign(world, {
    disturbances,
    users,
    topics: createTopics(CONSUMED),
    journal: createJournal(),
    jobs: new Map<string, number>(),
    everSet: new Set<string>(),
    sendersBackAt: 0,
    starts: 0,
    isAwake: random.chance(0.7),
    befalls: (disturbance: keyof Mishaps) => {
      const does = random.chance(disturbances[disturbance])
      if (does) injected.set(disturbance, (injected.get(disturbance) ?? 0) + 1)
      return does
    },
    calmDown: () => {
      calmDown()
      Object.assign(disturbances, CALM)
      Object.assign(world, { brokerBackAt: 0, sendersBackAt: 0 })
    },
  })
}

function drawMishaps({ random }: World): Mishaps {
  const sometimes = (probability: number) =>
    random.chance(0.6) ? probability * (0.5 + random.below(100) / 100) : 0
  return {
    lostJob: sometimes(0.3),
    strayJob: sometimes(0.02),
    alarmFailure: sometimes(0.2),
    lostTick: sometimes(0.5),
    clockJump: sometimes(0.01),
    sendFailure: sometimes(0.25),
    unheardSend: sometimes(0.2),
    refusedSend: sometimes(0.05),
    sendersAway: sometimes(0.01),
  }
}

/** Wall-clock times away from the hours that a change of the clocks leaves out or repeats. */
const QUIET = [
  null,
  null,
  { start: '22:00', end: '07:00' },
  { start: '09:30', end: '12:30' },
  { start: '10:00', end: '10:45' },
  { start: '23:30', end: '06:15' },
]
const WANTED = [
  ['in_app'],
  ['in_app', 'email'],
  ['email'],
  ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'],
  ['in_app', 'web_push'],
  ['webhook', 'in_app'],
] as const

/** What a user settles: which channels, when it is quiet, in which zone. */
export function drawPreferences({ random, ids, now }: World): Omit<Preferences, 'version'> {
  const webhook = random.chance(0.5)
  return {
    channels: {
      reminder: random.pick(WANTED),
      quiet_digest: random.pick(WANTED),
      daily_digest: ['in_app'],
      notice: ['in_app'],
    },
    quietHours: random.pick(QUIET),
    dailyDigestAt: null,
    defaultReminderMinutes: random.pick([null, 60, 60, 30, 2]),
    timeZone: random.pick([null, ...ZONES]),
    webhookUrl: webhook ? `https://hooks.example/${ids.hex(4)}` : null,
    webhookSecret: webhook ? 'whsec_c2VjcmV0IG9mIGEgc2ltdWxhdGlvbg==' : null,
    webhookId: webhook ? ids.uuid() : null,
    webhookConfirmedAt: webhook ? new Date(now) : null,
  }
}
