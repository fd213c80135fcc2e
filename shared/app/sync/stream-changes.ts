import { z } from 'zod'
import { CloudEvent } from '../../domain/cloud-event.ts'
import { DomainError } from '../../domain/errors.ts'
import { instantText } from '../../domain/fields.ts'
import { BEGINNING, type Cursor } from '../../domain/sync/cursor.ts'
import type { Actor, Deps } from '../ports.ts'
import type { LiveEvents } from './ports.ts'
import { readChanges } from './read-changes.ts'

const BATCH = 100

export const CHANGE_EVENTS = {
  connected: z.object({ server_time: instantText }),
  change: CloudEvent,
  heartbeat: z.object({ server_time: instantText }),
}

/** What happened after a cursor, and what happens from now on. The id of each event is the cursor behind it. */
export async function streamChanges(
  deps: Pick<Deps, 'clock' | 'changeLog' | 'changeSignal'>,
  actor: Actor,
  since: Cursor = BEGINNING,
): Promise<LiveEvents> {
  // A cursor that leads nowhere is refused before the stream begins, and tells its history from now on.
  const first = await readChanges(deps, actor, since, 1)
  let place: Cursor = { ...first.next, sequence: since.sequence }
  return {
    first: {
      event: 'connected',
      // With an id from the beginning, a connection that breaks before the first change misses none.
      id: first.since,
      data: { server_time: deps.clock.now().toISOString() },
    },
    subscribe: (onNews) => deps.changeSignal.subscribe(actor.userId, onNews),
    async next() {
      const page = await readChanges(deps, actor, place, BATCH).catch(nullWhereGone)
      if (page === null) return null
      place = page.next
      return {
        items: page.changes.map(({ event, cursor }) => ({ event: 'change', id: cursor, data: event })),
        hasMore: page.hasMore,
      }
    },
  }
}

/** The database was restored meanwhile, or the client was too slow: it is told when it comes back. */
function nullWhereGone(error: unknown): null {
  if (error instanceof DomainError && error.code === 'changes.cursor_gone') return null
  throw error
}
