import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { answerToWebhook } from '../../testing/worlds/answer-webhook.ts'
import { openEventStream, type EventStream } from '../../testing/worlds/event-stream.ts'
import type { Account } from './account.ts'
import type { Notes } from './observed.ts'

const GIVE_UP_AFTER_MS = 15_000
/** A stream that ends earlier was not ended by its time; see shared/streams/event-streams.ts. */
const MIN_STREAM_MS = 200_000
const RETURN_AFTER_MS = 1000
const POLL_MS = 20

/** What reaches the innocent by itself: reminders, on their streams and at their webhooks. */
export interface Signals {
  /** Opens the stream of a user and returns the URL of a webhook for them. */
  follow(account: Account): Promise<string>
  /** From now on the reminder of this task is expected, once on the stream and at least once at the webhook. */
  await(account: Account, task: TaskView): void
  /** Whether a reminder of this user is still to come. */
  isAwaited(account: Account): boolean
  /** Waits for all that are due by now; what does not come is wrong. */
  settle(): Promise<void>
  close(): void
}

interface Expected {
  name: string
  title: string
  dueAt: number
  missing: Set<'reminder' | 'webhook'>
  /** It was too late, which was counted as wrong; what becomes of it later is not looked at. */
  isLost: boolean
}

export async function createSignals(url: string, notes: Notes): Promise<Signals> {
  /** By user and task. */
  const expected = new Map<string, Expected>()
  const streams = new Set<EventStream>()
  const state = { isOver: false }

  const arrived = (
    way: 'reminder' | 'webhook',
    { id, name }: Account,
    told: { task_id: string; title: string },
  ) => {
    const reminder = expected.get(`${id} ${told.task_id}`)
    if (!reminder || !told.title.startsWith(reminder.title))
      return notes.wrong(`${name}: a ${way} of another's: ${told.title}`)
    if (reminder.isLost) return
    if (!reminder.missing.delete(way)) {
      if (way === 'reminder') notes.wrong(`${name}: the reminder of "${told.title}" came twice`)
      return
    }
    notes.took(way, Math.max(0, Date.now() - reminder.dueAt))
  }

  const listen = async (account: Account, lastSeen: string): Promise<void> => {
    let seen = lastSeen
    const stream = await openEventStream(`${url}/api/notifications/stream`, {
      headers: { authorization: `Bearer ${account.token}`, ...(seen !== '' && { 'last-event-id': seen }) },
      onMessage: (message) => {
        seen = message.id
        if (message.event === 'reminder') arrived('reminder', account, JSON.parse(message.data) as never)
      },
    })
    streams.add(stream)
    void comeBackAfter(stream, account, () => seen)
  }
  const comeBackAfter = async (stream: EventStream, account: Account, seen: () => string): Promise<void> => {
    const openedAt = Date.now()
    await stream.ended
    streams.delete(stream)
    if (!state.isOver && Date.now() - openedAt < MIN_STREAM_MS)
      notes.wrong(`${account.name}: the stream ended`)
    while (!state.isOver) {
      try {
        return await listen(account, seen())
      } catch (error) {
        notes.wrong(`${account.name}: the stream was not opened: ${String(error)}`)
        await delay(RETURN_AFTER_MS)
      }
    }
  }

  const accounts = new Map<string, Account>()
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const account = accounts.get(request.url!.slice(1))
    const message = await text(request)
    const { type, data } = JSON.parse(message) as { type: string; data: never }
    if (account && type === 'notification.reminder') arrived('webhook', account, data)
    response.end(answerToWebhook(message))
  }
  const receiver = createServer((request, response) => void receive(request, response)).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo

  return {
    follow: async (account) => {
      accounts.set(account.id, account)
      await listen(account, '')
      return `http://127.0.0.1:${port}/${account.id}`
    },
    await: ({ id, name }, { id: taskId, title, remind_at: remindAt }) =>
      void expected.set(`${id} ${taskId}`, {
        name,
        title,
        dueAt: Date.parse(remindAt!),
        missing: new Set(['reminder', 'webhook'] as const),
        isLost: false,
      }),
    isAwaited: ({ id }) =>
      [...expected].some(
        ([key, { missing, isLost }]) => key.startsWith(id) && missing.has('reminder') && !isLost,
      ),
    settle: async () => {
      const end = Date.now()
      const due = [...expected.values()].filter(
        ({ dueAt, missing, isLost }) => dueAt <= end && missing.size > 0 && !isLost,
      )
      while (due.some(({ missing }) => missing.size > 0) && Date.now() - end < GIVE_UP_AFTER_MS)
        await delay(POLL_MS)
      for (const late of due) {
        for (const way of late.missing) notes.wrong(`${late.name}: no ${way} of "${late.title}" within 15 s`)
        late.isLost = late.missing.size > 0
      }
    },
    close: () => {
      state.isOver = true
      for (const stream of streams) stream.close()
      receiver.close()
      receiver.closeAllConnections()
    },
  }
}
