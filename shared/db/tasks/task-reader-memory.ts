import { createLru, type Lru } from '../../domain/lru.ts'

/** What a map needs for an entry beside its strings, rounded up. */
const ENTRY_BYTES = 300

/** `textLength`: characters that a value holds; they count, like those of the key, two bytes each. */
export const recentlyUsed = <Value>(
  maxBytes: number,
  textLength: (value: Value) => number = () => 0,
): Lru<Value> => createLru(maxBytes, (key, value) => ENTRY_BYTES + 2 * (key.length + textLength(value)))
