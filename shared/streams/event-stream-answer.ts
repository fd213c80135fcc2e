import type { Context } from 'hono'
import type { Deps } from '../app/ports.ts'
import type { LiveEvents, StreamOwner } from '../app/sync/ports.ts'
import { invalidField } from '../domain/errors.ts'
import type { AppEnv } from '../kit/base-app.ts'

/** Answers with a live stream (text/event-stream) that nobody on the way may keep or hold back. */
export function eventStreamAnswer(
  { streams }: Pick<Deps, 'streams'>,
  c: Context<AppEnv>,
  owner: StreamOwner,
  events: LiveEvents,
): Response {
  return c.body(streams.open(owner, events), 200, HEADERS)
}

/** The answer to HEAD: as that to GET, without a stream. */
export const eventStreamHead = (c: Context<AppEnv>): Response => c.body(null, 200, HEADERS)

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

/**
 * Where a client that comes back wants to go on: the header Last-Event-ID, which an EventSource sends by itself, else
 * what it was opened with. 422 for what is no number.
 */
export function lastEventId(
  c: Context<AppEnv>,
  query: { last_event_id?: number } | undefined,
): number | null {
  const header = c.req.header('last-event-id')?.trim()
  if (header === undefined || header === '') return query?.last_event_id ?? null
  if (!/^\d{1,15}$/.test(header)) throw invalidField('last-event-id', 'must be the id of an event')
  return Number(header)
}
