import { z } from 'zod'
import { instantText } from '../domain/fields.ts'
import type { Deps } from './ports.ts'
import { answerInTime, askSurroundings, type Surroundings } from './surroundings.ts'

const WORKING = ['tasks', 'events', 'recurrence', 'reminders', 'notifications', 'identity'] as const
/** Announced, but not part of this Daybook yet. */
const DISABLED = ['sync', 'audit', 'assistant', 'webhooks', 'calendar'] as const
export const FEATURES = [...WORKING, ...DISABLED] as const
type Feature = (typeof FEATURES)[number]
type Status = 'available' | 'queued' | 'degraded' | 'disabled'

export const FeatureReport = z
  .object({
    status: z.enum(['available', 'degraded']).describe('degraded when any feature is queued or degraded'),
    features: z.record(
      z.enum(FEATURES),
      z.object({
        status: z
          .enum(['available', 'queued', 'degraded', 'disabled'])
          .describe('queued: accepted and kept, and done as soon as the event broker is back'),
        since: instantText.describe('When this process saw the status begin'),
      }),
    ),
  })
  .meta({ id: 'FeatureReport' })
export type FeatureReport = z.infer<typeof FeatureReport>

/** An event that waits longer than this says that publishing is stuck, whoever is in charge of it. */
const PUNCTUAL_MS = 10_000
/** What is due for longer than this, a reminder or a delivery, nobody sees to. */
const OVERDUE_MS = 60_000

interface Signals extends Surroundings {
  /** Since when events are known to wait; null while they flow. */
  queuedSince: Date | null
  /** Since when somebody waits to be told something; null while everything is told in time. */
  overdueSince: Date | null
}

/** What works just now, per feature. Never rejects and takes two seconds at the very most. */
export async function reportFeatures(deps: Deps): Promise<FeatureReport> {
  const now = deps.clock.now()
  const surroundings = await askSurroundings(deps)
  const [queuedSince, overdueSince] = surroundings.database
    ? await Promise.all([findQueuedSince(deps, now), findOverdueSince(deps, now)])
    : [null, null]
  const features = Object.fromEntries(
    FEATURES.map((feature) => {
      const { status, since } = judge(feature, { ...surroundings, queuedSince, overdueSince })
      return [feature, { status, since: (since ?? firstSeen(deps, feature, status, now)).toISOString() }]
    }),
  ) as FeatureReport['features']
  const isWhole = WORKING.every((feature) => features[feature].status === 'available')
  return { status: isWhole ? 'available' : 'degraded', features }
}

function judge(feature: Feature, signals: Signals): { status: Status; since?: Date | null } {
  if ((DISABLED as readonly Feature[]).includes(feature)) return { status: 'disabled' }
  if (!signals.database) return { status: 'degraded' }
  const needsEvents = feature === 'events' || feature === 'recurrence'
  if (needsEvents && (signals.queuedSince || !signals.sidecar)) {
    return { status: 'queued', since: signals.queuedSince }
  }
  // Reminders fire from their rows, whatever else is away. What they lead to goes out through the sidecar.
  if (feature === 'notifications' && (signals.overdueSince || !signals.sidecar)) {
    return { status: 'degraded', since: signals.overdueSince }
  }
  return { status: 'available' }
}

async function findQueuedSince(deps: Deps, now: Date): Promise<Date | null> {
  const publishing = deps.publishing.state()
  if (publishing.status === 'queued') return publishing.since
  const backlog = await answerInTime(() => deps.outbox.backlog(), null)
  const isStuck = backlog?.oldest && now.getTime() - backlog.oldest.getTime() > PUNCTUAL_MS
  return isStuck ? backlog.oldest : null
}

async function findOverdueSince(deps: Deps, now: Date): Promise<Date | null> {
  const due = await Promise.all([
    answerInTime(() => deps.dueReminders.nextDueAt(), null),
    answerInTime(() => deps.deliveries.nextDueAt(), null),
  ])
  const overdue = due.filter((at) => at !== null && now.getTime() - at.getTime() > OVERDUE_MS)
  return overdue.toSorted((a, b) => a!.getTime() - b!.getTime())[0] ?? null
}

const seen = new WeakMap<Deps, Map<Feature, { status: Status; since: Date }>>()

function firstSeen(deps: Deps, feature: Feature, status: Status, now: Date): Date {
  const statuses = seen.get(deps) ?? new Map<Feature, { status: Status; since: Date }>()
  seen.set(deps, statuses)
  const last = statuses.get(feature)
  if (last?.status === status) return last.since
  statuses.set(feature, { status, since: now })
  return now
}
