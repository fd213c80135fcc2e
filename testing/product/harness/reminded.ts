import { afterAll, expect, vi } from 'vitest'
import type { Client } from '../../worlds/task-service.ts'
import type { NotificationView } from '../../../shared/domain/notifications/notification.ts'
import type { ReminderWithFirings } from '../../../shared/domain/reminders/reminder.ts'
import { openEventStream } from '../../worlds/event-stream.ts'
import type { Product } from './product.ts'

/** Long enough that the request before it is over, short enough to wait for. */
const AHEAD_MS = 2000
const COMES_WITHIN = { timeout: 15_000, interval: 50 }

/** Tests that run side by side end what they opened together. */
const closers: (() => void)[] = []
afterAll(() => closers.forEach((close) => close()))

/** In a moment; `laterMs` after those without it. */
export const soon = (laterMs = 0): string => new Date(Date.now() + AHEAD_MS + laterMs).toISOString()

/** Somebody with a confirmed address who watches their stream, and what reached them. */
export interface Reminded {
  user: Client
  /** Sets a reminder of the task. */
  remind(taskId: string, input: object): Promise<ReminderWithFirings>
  reminder(id: string): Promise<ReminderWithFirings>
  /** What the stream has brought about a task so far, oldest first. */
  streamed(taskId: string): NotificationView[]
  /** What the list shows about a task. */
  listed(taskId: string): Promise<NotificationView[]>
  /** Resolves when `times` notifications about the task are on the stream; rejects when they do not come. */
  hears(taskId: string, times?: number): Promise<NotificationView[]>
}

export async function reminded({ confirmedUser, url }: Product): Promise<Reminded> {
  const user = await confirmedUser()
  const { ticket } = (await user.send('POST', '/api/auth/ticket')).body as { ticket: string }
  const stream = await openEventStream(`${url}/api/notifications/stream?ticket=${ticket}`)
  closers.push(stream.close)
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const got = await user.send(method, path, body)
    if (got.status >= 300) throw new Error(`${method} ${path}: ${got.status} ${JSON.stringify(got.body)}`)
    return got.body as T
  }
  const streamed: Reminded['streamed'] = (taskId) =>
    stream.messages
      .filter(({ event }) => event === 'reminder')
      .map(({ data }) => JSON.parse(data) as NotificationView)
      .filter((notification) => notification.task_id === taskId)
  return {
    user,
    streamed,
    remind: (taskId, input) => ask('POST', `/api/tasks/${taskId}/reminders`, input),
    reminder: (id) => ask('GET', `/api/reminders/${id}`),
    listed: async (taskId) => {
      const { items } = await ask<{ items: NotificationView[] }>('GET', '/api/notifications')
      return items.filter((notification) => notification.task_id === taskId)
    },
    hears: (taskId, times = 1) =>
      vi.waitFor(() => {
        const heard = streamed(taskId)
        expect(heard.length).toBeGreaterThanOrEqual(times)
        return heard
      }, COMES_WITHIN),
  }
}

/** Repeats an expectation until it holds or it has taken too long. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, COMES_WITHIN)
