import postgres from 'postgres'
import type { NotificationFeed } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

/** commit_reminding (migration 0004) notifies it with the user's id. */
const CHANNEL = 'daybook_notifications'
const POLL_MS = 2000
/** Polls between two attempts to listen, when it seems that nothing is heard. */
const RELISTEN_AFTER = 15

/**
 * NOTIFY tells at once, over one connection of this process; one query for all users every two seconds finds what was
 * not heard: NOTIFY is lost while the connection is away and never comes through a pooler in transaction mode. Without
 * subscribers there is neither connection nor timer.
 */
export function createNotificationFeed(sql: Sql, { pollMs = POLL_MS } = {}): NotificationFeed {
  const users = new Map<string, User>()
  let running: { stop(): void } | undefined

  function run() {
    let listener = listen()
    let isStopped = false
    let timer = setTimeout(() => void poll(), pollMs)
    let heard = 0
    let pollsSinceListening = 0
    let wasAway = false

    function listen() {
      // A client of its own, since one that has begun to listen keeps its connection until it is ended.
      const client = postgres({ ...(sql.options as object), max: 1 })
      const hear = (userId: string) => {
        heard += 1
        users.get(userId)?.tell()
      }
      // Without it the poll is late by two seconds, and listens again when it finds what was not heard.
      client.listen(CHANNEL, hear, tellAll).catch(() => {})
      return client
    }
    async function poll() {
      const news = await findNews(sql, users).catch(() => null) // the next poll finds it
      if (isStopped) return
      for (const user of news?.told ?? []) user.tell()
      pollsSinceListening += 1
      const isDeaf = heard === 0 && (news?.isUnheard ?? false) && pollsSinceListening >= RELISTEN_AFTER
      heard = 0
      if (news && (wasAway || isDeaf)) {
        pollsSinceListening = 0
        end(listener)
        listener = listen()
      }
      wasAway = news === null
      timer = setTimeout(() => void poll(), pollMs)
    }
    return {
      stop() {
        isStopped = true
        clearTimeout(timer)
        end(listener)
      },
    }
  }

  function tellAll() {
    for (const user of users.values()) user.tell()
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
  /** The last notification a poll has seen; null before the first poll. */
  seen: number | null
  tell(): void
}

function newUser(): User {
  const listeners: User['listeners'] = new Set()
  return {
    ...{ listeners, seen: null },
    tell: () => {
      for (const onNews of [...listeners]) onNews()
    },
  }
}

/** One descent of an index per user. At the first look at a user nobody knows what their streams have read, so they are told. */
async function findNews(
  sql: Sql,
  users: ReadonlyMap<string, User>,
): Promise<{ told: User[]; isUnheard: boolean }> {
  const rows = await sql<{ id: string; seq: number }[]>`
    select u.id, coalesce((select max(seq) from notifications n where n.user_id = u.id and seq is not null), 0) as seq
    from unnest(${[...users.keys()]}::uuid[]) u (id)`
  const told: User[] = []
  let isUnheard = false
  for (const { id, seq } of rows) {
    const user = users.get(id)
    if (!user || user.seen === seq) continue
    isUnheard ||= user.seen !== null
    user.seen = seq
    told.push(user)
  }
  return { told, isUnheard }
}

const end = (client: postgres.Sql): void => void client.end({ timeout: 1 }).catch(() => {})
