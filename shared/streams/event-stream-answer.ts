import type { Context } from 'hono'
import type { Deps } from '../app/ports.ts'
import type { LiveEvents, StreamOwner } from '../app/sync/ports.ts'
import type { AppEnv } from '../kit/base-app.ts'

/** Answers with a live stream (text/event-stream) that nobody on the way may keep or hold back. Each read of it waits for its user's turn. */
export function eventStreamAnswer(
  { streams }: Pick<Deps, 'streams'>,
  c: Context<AppEnv>,
  owner: StreamOwner,
  events: LiveEvents,
): Response {
  const next = () => c.get('inTurn')(owner.userId, 1, () => events.next())
  return c.body(streams.open(owner, { ...events, next }), 200, HEADERS)
}

/** The answer to HEAD: as that to GET, without a stream. */
export const eventStreamHead = (c: Context<AppEnv>): Response => c.body(null, 200, HEADERS)

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}
