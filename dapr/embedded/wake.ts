import type { Sql } from '../../shared/db/connect.ts'

/** Tells the sidecars of this process that something new is in the database; others find it by polling. */
export interface WakeBus {
  notify(channel: string): void
  /** Returns a function that ends the subscription. */
  listen(channel: string, wake: () => void): () => void
}

const buses = new WeakMap<Sql, WakeBus>()

/** The bus that all sidecars on one connection pool share. */
export function wakeBusOf(sql: Sql): WakeBus {
  const known = buses.get(sql)
  if (known) return known
  const listeners = new Map<string, Set<() => void>>()
  const bus: WakeBus = {
    notify(channel) {
      for (const wake of listeners.get(channel) ?? []) wake()
    },
    listen(channel, wake) {
      const wakes = listeners.get(channel) ?? new Set()
      listeners.set(channel, wakes.add(wake))
      return () => wakes.delete(wake)
    },
  }
  buses.set(sql, bus)
  return bus
}
