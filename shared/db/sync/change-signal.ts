import postgres from 'postgres'
import type { StartTimer } from '../../app/ports.ts'
import type { ChangeSignal } from '../../app/sync/ports.ts'
import type { Sql } from '../connect.ts'
import { CHANNEL, usersOf } from './announce-changes.ts'

const POLL_MS = 2000
/** Polls between two attempts to listen, when it seems that nothing is heard. */
const RELISTEN_AFTER = 15

/**
 * NOTIFY tells at once, over one connection of this process; one query for all users every two seconds finds what was
 * not heard: NOTIFY is lost while the connection is away and never comes through a pooler in transaction mode. Without
 * subscribers there is neither connection nor timer.
 */
export function createChangeSignal(
  sql: Sql,
  startTimer: StartTimer,
  { pollMs = POLL_MS } = {},
): ChangeSignal {
  const users = new Map<string, User>()
  let running: { stop(): void } | undefined

  function run() {
    let listener = listen()
    let isStopped = false
    let cancel = startTimer(() => void poll(), pollMs)
    let heard = 0
    let pollsSinceListening = 0
    let wasAway = false

    function listen() {
      // A client of its own, since one that has begun to listen keeps its connection until it is ended.
      const client = postgres({ ...(sql.options as object), max: 1 })
      const hear = (payload: string) => {
        heard += 1
        for (const userId of usersOf(payload)) users.get(userId)?.notify()
      }
      // Without it the poll is late by two seconds, and listens again when it finds what was not heard.
      client.listen(CHANNEL, hear, notifyAll).catch(() => {})
      return client
    }
    async function poll() {
      const news = await findNews(sql, users).catch(() => null) // the next poll finds it
      if (isStopped) return
      for (const user of news?.toNotify ?? []) user.notify()
      pollsSinceListening += 1
      const isDeaf = heard === 0 && (news?.isUnheard ?? false) && pollsSinceListening >= RELISTEN_AFTER
      heard = 0
      if (news && (wasAway || isDeaf)) {
        pollsSinceListening = 0
        end(listener)
        listener = listen()
      }
      wasAway = news === null
      cancel = startTimer(() => void poll(), pollMs)
    }
    return {
      stop() {
        isStopped = true
        cancel()
        end(listener)
      },
    }
  }

  function notifyAll() {
    for (const user of users.values()) user.notify()
  }

  return {
    subscribe(userId, onNews) {
      const user = users.get(userId) ?? newUser()
      users.set(userId, user)
      user.listeners.add(onNews)
      running ??= run()
      return () => {
        user.listeners.delete(onNews)
        if (user.listeners.size === 0 && users.get(userId) === user) users.delete(userId)
        if (users.size > 0) return
        running?.stop()
        running = undefined
      }
    },
  }
}

interface User {
  listeners: Set<() => void>
  /** The last change a poll has seen; null before the first poll. */
  seen: number | null
  notify(): void
}

function newUser(): User {
  const listeners: User['listeners'] = new Set()
  return {
    listeners,
    seen: null,
    notify: () => {
      for (const onNews of Array.from(listeners)) onNews()
    },
  }
}

/** A descent of an index per user. At the first look at a user nobody knows what their streams have read, so they are notified. */
async function findNews(
  sql: Sql,
  users: ReadonlyMap<string, User>,
): Promise<{ toNotify: User[]; isUnheard: boolean }> {
  const rows = await sql<{ id: string; seq: number }[]>`
    select u.id, coalesce((
      select last_seq from user_counters c where c.user_id = u.id order by turn desc limit 1), 0) as seq
    from unnest(${[...users.keys()]}::uuid[]) u (id)`
  const toNotify: User[] = []
  let isUnheard = false
  for (const { id, seq } of rows) {
    const user = users.get(id)
    if (!user || user.seen === seq) continue
    isUnheard ||= user.seen !== null
    user.seen = seq
    toNotify.push(user)
  }
  return { toNotify, isUnheard }
}

const end = (client: postgres.Sql): void => void client.end({ timeout: 1 }).catch(() => {})
