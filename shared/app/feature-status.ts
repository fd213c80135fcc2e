import { z } from 'zod'
import { instantText } from '../domain/fields.ts'
import type { Deps } from './ports.ts'
import { answerInTime, askSurroundings, type Surroundings } from './surroundings.ts'

const WORKING = ['tasks', 'events', 'recurrence', 'identity'] as const
/** Announced, but not part of this Daybook yet. */
const DISABLED = ['reminders', 'notifications', 'sync', 'audit', 'assistant', 'webhooks', 'calendar'] as const
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

interface Signals extends Surroundings {
  /** Since when events are known to wait; null while they flow. */
  queuedSince: Date | null
}

/** What works just now, per feature. Never rejects and takes two seconds at the very most. */
export async function reportFeatures(deps: Deps): Promise<FeatureReport> {
  const now = deps.clock.now()
  const surroundings = await askSurroundings(deps)
  const queuedSince = surroundings.database ? await findQueuedSince(deps, now) : null
  const features = Object.fromEntries(
    FEATURES.map((feature) => {
      const { status, since } = judge(feature, { ...surroundings, queuedSince })
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
  return { status: 'available' }
}

async function findQueuedSince(deps: Deps, now: Date): Promise<Date | null> {
  const publishing = deps.publishing.state()
  if (publishing.status === 'queued') return publishing.since
  const backlog = await answerInTime(() => deps.outbox.backlog(), null)
  const isStuck = backlog?.oldest && now.getTime() - backlog.oldest.getTime() > PUNCTUAL_MS
  return isStuck ? backlog.oldest : null
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
