import type { Cursor } from '../../domain/sync/cursor.ts'
import type { Actor, Answer, Deps, Later } from '../ports.ts'
import { readChanges, type ChangePage } from './read-changes.ts'

interface Poll {
  since: Cursor
  limit: number
  waitMs: number
  signal: AbortSignal
}

/** What happened after a cursor; where nothing did, as soon as something does, or after `waitMs` nothing. */
export async function pollChanges<Body>(
  deps: Pick<Deps, 'changeLog' | 'changeSignal' | 'streams'>,
  actor: Actor,
  { since, limit, waitMs, signal }: Poll,
  view: (page: ChangePage) => Body,
): Promise<Answer<Body> | Later<Body>> {
  const read = () => readChanges(deps, actor, since, limit)
  const page = await read()
  if (page.changes.length > 0 || waitMs === 0) return { body: view(page) }
  const subscribe = (onNews: () => void) => deps.changeSignal.subscribe(actor.userId, onNews)
  const waiting = deps.streams.wait(actor, subscribe, waitMs, signal)
  const look = async (): Promise<Answer<Body> | Later<Body>> => {
    const found = await read().catch((error: unknown) => {
      waiting.end()
      throw error
    })
    if (found.changes.length === 0 && !waiting.isOver()) {
      return { news: waiting.news(), answer: look, end: waiting.end }
    }
    waiting.end()
    return { body: view(found) }
  }
  return look() // again: before the subscription nobody would have told
}
