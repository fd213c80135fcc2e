import { setTimeout as delay } from 'node:timers/promises'
import type { Part } from '../../profiles/self-hosted/part.ts'
import type { Sql } from '../../shared/db/connect.ts'
import { definitionOf } from '../../shared/domain/events.ts'
import { OBSERVED, type Observer } from './observer.ts'
import type { EventRow } from '../faults/series-model.ts'

const LOOK_EVERY_MS = 500

/** Whether an event goes to a topic, by the catalogue; copies for `task-updates` are made of what names a task. */
export function goesTo(topic: string, { type, data }: Pick<EventRow, 'type' | 'data'>): boolean {
  const own = definitionOf(type)?.topic
  if (topic !== 'task-updates') return own === topic
  return own === 'task-events' && (data.task !== undefined || type === 'task.reordered')
}

export interface Restless {
  sql: Sql
  parts: readonly Part[]
  observer: Observer
  /** Ids of events that the broker rightly has not delivered yet to the observer. */
  inHand: (topic: string) => Promise<ReadonlySet<string>>
}

/** Waits until nothing moves any more. Resolves to what still does when the time is over, or to null. */
export async function comesToRest(restless: Restless, limitMs: number): Promise<string | null> {
  let left = ''
  for (const end = Date.now() + limitMs; Date.now() < end; await delay(LOOK_EVERY_MS)) {
    left = await whatMoves(restless).catch((error: unknown) => String(error))
    if (left === '') return null
  }
  return left
}

async function whatMoves({ sql, parts, observer, inHand }: Restless): Promise<string> {
  const down = parts.filter(({ isUp }) => !isUp).map(({ name }) => name)
  if (down.length > 0) return `not up: ${down.join(', ')}`
  const [row] = await sql<{ outbox: number; stuck: number; due: number; unsent: number }[]>`
    select (select count(*) from outbox) as outbox,
      (select count(*) from reminders where fire_at < now() + interval '1 minute') as due,
      (select count(*) from deliveries where state = 'triggered') as unsent,
      (select count(*) from series where state = 'active' and live_task_id is null) as stuck`
  if (row!.outbox > 0) return `${row!.outbox} events in the outbox`
  if (row!.stuck > 0) return `${row!.stuck} series without an open occurrence`
  if (row!.due > 0) return `${row!.due} reminders are due or soon will be`
  if (row!.unsent > 0) return `${row!.unsent} deliveries are not carried out`
  const events = await sql<EventRow[]>`select id, type, data from events`
  for (const topic of OBSERVED) {
    const seen = new Set(observer.deliveries(topic).map(({ id }) => id))
    const missing = events.filter((event) => goesTo(topic, event) && !seen.has(event.id))
    const held = missing.length > 0 ? await inHand(topic) : new Set()
    const lost = missing.filter(({ id }) => !held.has(id))
    if (lost.length > 0) return `${lost.length} events of ${topic} not delivered`
  }
  return ''
}
