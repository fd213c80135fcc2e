import { z } from 'zod'
import { instantText } from '../../domain/fields.ts'
import type { DueRows } from '../capabilities.ts'
import type { Deps } from '../ports.ts'
import { answerInTime, probeDependencies, type DependencyStates } from './probe-dependencies.ts'

type Status = 'available' | 'queued' | 'degraded'

export interface FeatureTraits {
  /** Rows that somebody has to see to in time. */
  dueRows: readonly DueRows[]
  /** Its functions begin with events. */
  waitsForEvents: boolean
  /** What it does goes out through the sidecar. */
  sendsOut: boolean
}

const Feature = z
  .object({
    status: z
      .enum(['available', 'queued', 'degraded'])
      .describe('queued: accepted, and processed when the event broker is available again'),
    since: instantText.describe(
      'Of what waits, when the first of it was due; otherwise when this process first saw this status',
    ),
  })
  .meta({ id: 'FeatureStatus' })

export const featureReport = (features: readonly string[]) =>
  z
    .object({
      status: z.enum(['available', 'degraded']).describe('degraded when any feature is queued or degraded'),
      features: z.object(Object.fromEntries(features.map((name) => [name, Feature]))),
      disabled: z
        .object({ web_push: z.string().optional(), mobile_push: z.string().optional() })
        .describe('Channels of notifications that are not configured, and what each requires'),
    })
    .meta({ id: 'FeatureReport' })
export type FeatureReport = z.infer<ReturnType<typeof featureReport>>

/** An event that waits longer than this says that publishing is stuck, whoever is in charge of it. */
const PUNCTUAL_MS = 10_000
/** What is due for longer than this, a reminder or a delivery, nobody sees to. */
const OVERDUE_MS = 60_000

/** Since when something waits longer than it may: null where nobody answers. */
type Overdue = { since: Date | null } | null

interface Signals extends DependencyStates, Record<DueRows, Overdue> {}

type Asked = Pick<
  Deps,
  | 'settings'
  | 'clock'
  | 'startTimer'
  | 'database'
  | 'sidecar'
  | 'publishing'
  | 'outbox'
  | 'dueReminders'
  | 'deliveries'
  | 'waitingSeries'
>

/** What works just now, per service. Never rejects and takes two seconds at the very most. */
export async function reportFeatures(
  deps: Asked,
  features: Readonly<Record<string, FeatureTraits>>,
): Promise<FeatureReport> {
  const now = deps.clock.now()
  const states = await probeDependencies(deps)
  const [outbox, dueReminders, deliveries, waitingSeries] = states.database
    ? await Promise.all([
        findQueued(deps),
        findOverdue(deps, OVERDUE_MS, () => deps.dueReminders.nextDueAt()),
        findOverdue(deps, OVERDUE_MS, () => deps.deliveries.nextDueAt()),
        findOverdue(deps, OVERDUE_MS, () => firstWithoutTask(deps, now)),
      ])
    : [null, null, null, null]
  const signals: Signals = { ...states, outbox, dueReminders, deliveries, waitingSeries }
  const entries = Object.entries(features).map(([feature, traits]) => {
    const judged = judge(traits, signals)
    return [
      feature,
      { status: judged.status, since: began(deps, feature, judged, now).toISOString() },
    ] as const
  })
  const isWhole = entries.every(([, { status }]) => status === 'available')
  return {
    status: isWhole ? 'available' : 'degraded',
    features: Object.fromEntries(entries),
    disabled: deps.settings.disabledChannels,
  }
}

interface Judged {
  status: Status
  /** Null where it is not known. */
  since: Date | null
}

function judge(traits: FeatureTraits, signals: Signals): Judged {
  const { dueRows, waitsForEvents, sendsOut } = traits
  if (!signals.database) return { status: 'degraded', since: null }
  if (waitsForEvents && (signals.outbox || !signals.sidecar))
    return { status: 'queued', since: signals.outbox?.since ?? null }
  const overdue = dueRows.flatMap((rows) => signals[rows] ?? [])
  if (overdue.length === 0 && !(sendsOut && !signals.sidecar)) return { status: 'available', since: null }
  const [first = null] = overdue
    .flatMap(({ since }) => since ?? [])
    .toSorted((a, b) => a.getTime() - b.getTime())
  return { status: 'degraded', since: first }
}

async function findQueued(deps: Asked): Promise<Overdue> {
  const publishing = deps.publishing.state()
  if (publishing.status === 'queued') return { since: publishing.since }
  return await findOverdue(deps, PUNCTUAL_MS, async () => (await deps.outbox.backlog()).oldest)
}

/** What cannot be asked for cannot be seen to, either. */
async function findOverdue(deps: Asked, mostMs: number, ask: () => Promise<Date | null>): Promise<Overdue> {
  const due = await answerInTime<Date | null | 'unknown'>(deps, ask, 'unknown')
  if (due === 'unknown') return { since: null }
  return due && deps.clock.now().getTime() - due.getTime() > mostMs ? { since: due } : null
}

async function firstWithoutTask({ waitingSeries }: Asked, now: Date): Promise<Date | null> {
  const [first] = await waitingSeries.withoutLiveTask(now, null, 1)
  return first?.waitingSince ?? null
}

const seen = new WeakMap<Asked, Map<string, { status: Status; since: Date }>>()

function began(deps: Asked, feature: string, { status, since }: Judged, now: Date): Date {
  const statuses = seen.get(deps) ?? new Map<string, { status: Status; since: Date }>()
  seen.set(deps, statuses)
  const last = statuses.get(feature)
  const at = since ?? (last?.status === status ? last.since : now)
  statuses.set(feature, { status, since: at })
  return at
}
