import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Deps } from '../app/ports.ts'
import type { LiveEvents } from '../app/stream-ports.ts'
import { invalidField } from '../domain/errors.ts'
import type { AppEnv } from './base-app.ts'

/** Answers with a live stream (text/event-stream) that nobody on the way may keep or hold back. */
export function eventStreamAnswer(
  { streams }: Pick<Deps, 'streams'>,
  c: Context<AppEnv>,
  owner: string,
  events: LiveEvents,
): Response {
  // Absent where the app is called without a connection, as in tests.
  const connection = c.env as Partial<HttpBindings> | undefined
  return c.body(
    streams.open(owner, events, () => connection?.outgoing?.destroy()),
    200,
    { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  )
}

/**
 * Where a client that comes back wants to go on: the header Last-Event-ID, which an EventSource sends by itself, else
 * what it was opened with. 422 for what is no number.
 */
export function lastEventId(c: Context<AppEnv>, query: number | undefined): number | null {
  const header = c.req.header('last-event-id')?.trim()
  if (header === undefined || header === '') return query ?? null
  if (!/^\d{1,15}$/.test(header)) throw invalidField('last-event-id', 'must be the id of an event')
  return Number(header)
}

/**
 * A live stream of another unit, to be passed on. One that breaks off is over like any other: its client comes back and
 * says where it was, and there is nothing to report.
 */
export function passedOn(body: ReadableStream<Uint8Array<ArrayBuffer>>): typeof body {
  const reader = body.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }) as const)
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
