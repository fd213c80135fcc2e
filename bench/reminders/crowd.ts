import { setTimeout as delay } from 'node:timers/promises'
import { figuresOf, type Figures } from '../measure.ts'
import type { Audience } from './audience.ts'
import type { Person, Server } from './server.ts'

export interface Crowd {
  name: string
  count: number
  /** From the first creation to the first reminder. */
  leadMs: number
  /** The reminders are due at random instants within this time; 0: all at once. */
  overMs: number
}

export interface Stage {
  server: Server
  people: readonly Person[]
  audience: Audience
  say: (line: string) => void
}

const CLIENTS = 40
const LOOK_EVERY_MS = 500
/** Longer than anything that was promised, so that what is missing then is lost. */
const GIVE_UP_AFTER_MS = 120_000

interface Sent {
  notification_id: string
  channel: string
  state: string
  fire_at: Date
  delivered_at: Date | null
  /** When the notification was committed. */
  written_at: Date
}

/** Sets reminders by POST /api/tasks, lets them come due and tells how late each one was, on each of its ways. */
export async function measureCrowd(
  stage: Stage,
  crowd: Crowd,
): Promise<{ figures: Figures[]; notes: string[]; setPerSecond: number }> {
  const { name, count, leadMs, overMs } = crowd
  const known = stage.audience.arrivals.size
  const startedAt = Date.now()
  const firstDue = startedAt + leadMs
  stage.say(`${name}: setting ${count} reminders`)
  await setReminders(stage, count, () => new Date(firstDue + Math.floor(Math.random() * overMs)))
  const tookMs = Date.now() - startedAt
  if (tookMs > leadMs) throw new Error(`setting ${count} reminders took ${tookMs} ms, longer than there was`)
  await delay(Math.max(0, firstDue - Date.now()))
  const waiting = await stage.server.waitingEvents()
  stage.say(`${name}: due from now on; ${waiting} events are still to be published`)
  const sent = await untilDelivered(stage, { firstDue, count, overMs, known })
  const { arrivals } = stage.audience
  const shown = sent.filter(({ channel }) => channel === 'in_app')
  const mailed = sent.filter(({ channel }) => channel === 'email')
  const done = ({ notification_id: id, fire_at: dueAt, delivered_at: doneAt }: Sent) =>
    doneAt ? [{ id, from: dueAt.getTime(), to: doneAt.getTime() }] : []
  const written = ({ notification_id: id, fire_at: dueAt, written_at: to }: Sent) => ({
    id,
    from: dueAt.getTime(),
    to: to.getTime(),
  })
  const seen = (since: (one: Sent) => Date) => (one: Sent) =>
    (arrivals.get(one.notification_id) ?? []).map((to) => ({
      id: one.notification_id,
      from: since(one).getTime(),
      to,
    }))
  const ways = {
    'in the app': shown.map(written),
    'on the stream': shown.flatMap(seen(({ fire_at: dueAt }) => dueAt)),
    'from the app to the stream': shown.flatMap(seen(({ written_at: writtenAt }) => writtenAt)),
    'by mail': mailed.flatMap(done),
  }
  const figures = Object.entries(ways).map(([way, waits]) =>
    latenessOf(`${name}: ${way}`, { count, connections: stage.people.length }, waits),
  )
  for (const { name: what, p50, p95, p99, worst, failed } of figures)
    stage.say(`  ${what.padEnd(48)} p50 ${p50}  p95 ${p95}  p99 ${p99}  worst ${worst} ms  failed ${failed}`)
  return {
    figures,
    notes: [`${name}: ${waiting} events were still to be published when it began`],
    setPerSecond: (count / tookMs) * 1000,
  }
}

interface Wait {
  id: string
  from: number
  to: number
}

/** `failed`: those that never came, and each time that one came again. Per second: between the first and the last. */
function latenessOf(
  name: string,
  { count, connections }: { count: number; connections: number },
  waits: readonly Wait[],
): Figures {
  const different = new Set(waits.map(({ id }) => id)).size
  const failed = Math.abs(count - different) + (waits.length - different)
  const ends = waits.map(({ to }) => to).toSorted((a, b) => a - b)
  const seconds = Math.max(1, (ends.at(-1) ?? 0) - (ends[0] ?? 0)) / 1000
  return figuresOf(name, { connections, seconds, failed, latencies: waits.map(({ from, to }) => to - from) })
}

async function setReminders({ server, people }: Stage, count: number, dueAt: () => Date): Promise<void> {
  let next = 0
  const client = async () => {
    for (let nth = next++; nth < count; nth = next++) {
      const answer = await fetch(`${server.url}/api/tasks`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${people[nth % people.length]!.token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ title: `Task ${nth}`, remind_at: dueAt().toISOString() }),
      })
      if (answer.status !== 201) throw new Error(`POST /api/tasks answered ${answer.status}`)
      await answer.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

/** Waits until as many reminders as were set have been delivered on every channel; resolves to the ledger. */
async function untilDelivered(
  { server: { sql }, audience }: Stage,
  { firstDue, count, overMs, known }: { firstDue: number; count: number; overMs: number; known: number },
): Promise<Sent[]> {
  const [from, to] = [new Date(firstDue), new Date(firstDue + overMs)]
  const end = firstDue + overMs + GIVE_UP_AFTER_MS
  for (await delay(overMs); Date.now() < end; await delay(LOOK_EVERY_MS)) {
    const [row] = await sql<{ shown: number; open: number }[]>`
      select count(*) filter (where channel = 'in_app' and state = 'delivered')::int as shown,
        count(*) filter (where state = 'triggered')::int as open
      from deliveries where fire_at between ${from} and ${to}`
    if (row!.shown >= count && row!.open === 0 && audience.arrivals.size - known >= count) break
  }
  // Whatever comes twice comes soon.
  await delay(LOOK_EVERY_MS)
  return await sql<Sent[]>`
    select d.notification_id, d.channel, d.state, d.fire_at, d.delivered_at,
      pg_xact_commit_timestamp(n.xmin) as written_at
    from deliveries d join notifications n on n.id = d.notification_id where d.fire_at between ${from} and ${to}`
}
