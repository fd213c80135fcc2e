/** A map that lets go of what was not asked for the longest once its entries weigh more than it may hold. */
export interface Lru<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
  /** The one that goes next first. An entry may be taken away meanwhile. */
  entries(): MapIterator<[string, Value]>
}

/** `weigh`: what an entry counts for against `max`, always the same for the same entry; 1 each by default. */
export function createLru<Value>(
  max: number,
  weigh: (key: string, value: Value) => number = () => 1,
): Lru<Value> {
  const entries = new Map<string, Value>() // keeps its keys in the order they were set
  let weight = 0
  const remove = (key: string) => {
    const value = entries.get(key)
    if (value === undefined) return
    entries.delete(key)
    weight -= weigh(key, value)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      remove(key)
      entries.set(key, value)
      weight += weigh(key, value)
      for (const oldest of entries.keys()) {
        if (weight <= max) break
        remove(oldest)
      }
    },
    delete: remove,
    entries: () => entries.entries(),
  }
}
