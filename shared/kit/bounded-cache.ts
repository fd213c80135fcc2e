export interface BoundedCache<Value> {
  get(key: string, now: number): Value | undefined
  set(key: string, value: Value, expiresAt: number): void
}

/** Remembers at most `capacity` values until they expire; the ones least recently asked for go first. */
export function createBoundedCache<Value>(capacity: number): BoundedCache<Value> {
  const entries = new Map<string, { value: Value; expiresAt: number }>()
  return {
    get(key, now) {
      const entry = entries.get(key)
      if (!entry) return undefined
      entries.delete(key)
      if (entry.expiresAt <= now) return undefined
      entries.set(key, entry) // a Map keeps its keys in the order they were set
      return entry.value
    },
    set(key, value, expiresAt) {
      entries.delete(key)
      entries.set(key, { value, expiresAt })
      const [oldest] = entries.keys()
      if (entries.size > capacity && oldest !== undefined) entries.delete(oldest)
    },
  }
}
