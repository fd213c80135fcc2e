import { setTimeout as delay } from 'node:timers/promises'
import { openEventStream, type EventStream } from '../../testing/worlds/event-stream.ts'
import type { Person, Server } from './server.ts'

/** People who all watch their stream. Where one ends, they come back with the last id they saw, as browsers do. */
export interface Audience {
  /** When each notification came, by its id; twice when it came twice. */
  readonly arrivals: ReadonlyMap<string, readonly number[]>
  /** How often a stream had to be opened again. */
  readonly returns: number
  close(): void
}

const AT_A_TIME = 50
const RETURN_AFTER_MS = 200

export async function gatherAudience(server: Server, people: readonly Person[]): Promise<Audience> {
  const arrivals = new Map<string, number[]>()
  const open = new Map<string, EventStream>()
  const state = { returns: 0, isOver: false }

  const listen = async ({ id, token }: Person, lastSeen: string): Promise<void> => {
    let seen = lastSeen
    const stream = await openEventStream(`${server.url}/api/notifications/stream`, {
      headers: { authorization: `Bearer ${token}`, ...(seen !== '' && { 'last-event-id': seen }) },
      onMessage: (message) => {
        seen = message.id
        if (message.event !== 'reminder' && message.event !== 'notification') return
        const { id: notificationId } = JSON.parse(message.data) as { id: string }
        arrivals.set(notificationId, [...(arrivals.get(notificationId) ?? []), message.at])
      },
    })
    open.set(id, stream)
    void stream.ended.then(() => comeBack({ id, token }, () => seen))
  }
  const comeBack = async (person: Person, seen: () => string): Promise<void> => {
    while (!state.isOver) {
      await delay(RETURN_AFTER_MS)
      if (state.isOver) return
      state.returns += 1
      try {
        return await listen(person, seen())
      } catch {
        // The server is busy or away; an EventSource tries again, too.
      }
    }
  }

  for (let first = 0; first < people.length; first += AT_A_TIME)
    await Promise.all(people.slice(first, first + AT_A_TIME).map((person) => listen(person, '')))
  return {
    arrivals,
    get returns() {
      return state.returns
    },
    close: () => {
      state.isOver = true
      for (const stream of open.values()) stream.close()
    },
  }
}
