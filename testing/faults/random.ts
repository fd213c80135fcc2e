import type { Ids } from '../../shared/app/ports.ts'

/** Chance that repeats itself: the same seed makes the same choices. */
export interface Random {
  /** A whole number, at least 0 and less than `limit`. */
  below(limit: number): number
  /** True with a probability between 0 and 1. */
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** Xorshift with 32 bits of state (Marsaglia 2003, "Xorshift RNGs"), after a scramble that sets like seeds apart. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e37_79b1) || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let warm = 0; warm < 8; warm += 1) next()
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, chance: (probability) => next() < probability, pick: (list) => list[below(list.length)]! }
}

/** Ids that are the same in every run of a seed but for `run`, 12 hex digits that keep runs on one database apart. */
export function createIds(run: string, seed: number): Ids {
  let count = 0
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0').slice(-digits)
  return {
    uuid: () =>
      `${run.slice(0, 8)}-${run.slice(8)}-7${hex(seed >> 12, 3)}-8${hex(seed & 0xfff, 3)}-${hex(++count, 12)}`,
    hex: (bytes) => hex(++count, bytes * 2),
  }
}
