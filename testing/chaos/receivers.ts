import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { NotificationView } from '../../shared/domain/notifications/notification.ts'
import { answerToWebhook } from '../worlds/answer-webhook.ts'
import { openEventStream } from '../worlds/event-stream.ts'
import { ask, type Person } from './client.ts'

/** A webhook that came. */
export interface Hook {
  /** `webhook-id`. */
  id: string
  notificationId: string
}

/** An event of somebody's stream. */
export interface Heard {
  seq: number
  notificationId: string
}

/** Where notifications arrive: it all lives in this process, so that a kill never takes its memory. */
export interface Receivers {
  hookUrl: string
  /** Every webhook that came, repeats included. */
  readonly hooks: readonly Hook[]
  /** Begins to listen to somebody's stream, and comes back whenever it breaks. */
  listen(url: string, person: Person): void
  heard(person: Person): readonly Heard[]
  /** How often streams had to be opened again. */
  readonly returns: number
  stop(): void
}

const RETURN_AFTER_MS = 200
const ONE_IN = 8

export async function startReceivers(): Promise<Receivers> {
  const hooks: Hook[] = []
  const heard = new Map<string, Heard[]>()
  const closers = new Set<() => void>()
  const state = { returns: 0, isOver: false }

  /** Takes what comes; of some, it fails to say so the first time. */
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = String(request.headers['webhook-id'])
    const message = await text(request)
    const { data } = JSON.parse(message) as { data: NotificationView }
    const isNew = !hooks.some((hook) => hook.id === id)
    hooks.push({ id, notificationId: data.id })
    const fails = isNew && hooks.length % ONE_IN === 0
    if (fails && hooks.length % (2 * ONE_IN) === 0) response.destroy()
    else response.writeHead(fails ? 500 : 200).end(answerToWebhook(message))
  }

  async function follow(url: string, person: Person, list: Heard[]): Promise<void> {
    let lastSeen: string | undefined
    while (!state.isOver) {
      try {
        const { text: answer } = await ask(url, person, { method: 'POST', path: '/api/auth/ticket' })
        const { ticket } = JSON.parse(answer) as { ticket: string }
        const headers = lastSeen === undefined ? {} : { 'last-event-id': lastSeen }
        const stream = await openEventStream(`${url}/api/notifications/stream?ticket=${ticket}`, {
          headers,
          onMessage: ({ event, id, data }) => {
            if (id !== '') lastSeen = id
            if (event !== 'reminder' && event !== 'notification') return
            list.push({ seq: Number(id), notificationId: (JSON.parse(data) as NotificationView).id })
          },
        })
        closers.add(stream.close)
        await stream.ended
        closers.delete(stream.close)
      } catch {
        // Whatever is down comes back; an EventSource tries again, too.
      }
      state.returns += 1
      await delay(RETURN_AFTER_MS)
    }
  }

  const server = createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    hookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    hooks,
    listen(url, person) {
      const list: Heard[] = []
      heard.set(person.id, list)
      void follow(url, person, list)
    },
    heard: (person) => heard.get(person.id) ?? [],
    get returns() {
      return state.returns
    },
    stop() {
      state.isOver = true
      for (const close of closers) close()
      server.closeAllConnections()
      server.close()
    },
  }
}
