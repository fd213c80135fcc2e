import { WEEKDAYS, type Weekday } from '../recurrence/recurrence-rule.ts'
import { instantToWall } from '../recurrence/wall-clock.ts'
import { tagKey } from '../tasks/task.ts'
import type { DoneTask } from './suggestion.ts'

/** What tasks of a user that share a word or a tag have in common. */
export interface Evidence {
  /** `"rent"` or `#home`. */
  sign: string
  /** How many of `total` have it. */
  count: number
  total: number
}

interface Told {
  title: string
  tags: readonly string[]
}

/** Words that say nothing of a task. */
const COMMON = new Set(
  'the and for with from into about this that your our their new get make buy call send write check have has'.split(
    ' ',
  ),
)

const wordsOf = (title: string): string[] => [
  ...new Set(
    (
      title
        .normalize('NFC')
        .toLowerCase()
        .match(/[\p{L}\p{M}\p{N}]{3,}/gu) ?? []
    ).filter((word) => !COMMON.has(word)),
  ),
]

/** The signs of a task: its tags, then the words of its title. */
export const signsOf = ({ title, tags }: Told): string[] => [
  ...tags.map((tag) => `#${tagKey(tag)}`),
  ...wordsOf(title).map((word) => `"${word}"`),
]

/** For each sign how many tasks have it, and how many of those have each value. */
export class Habits<Value extends string | number> {
  readonly #totals = new Map<string, number>()
  readonly #counts = new Map<string, Map<Value, number>>()

  add(signs: readonly string[], values: readonly Value[]): void {
    for (const sign of signs) {
      this.#totals.set(sign, (this.#totals.get(sign) ?? 0) + 1)
      const counts = this.#counts.get(sign) ?? new Map<Value, number>()
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
      this.#counts.set(sign, counts)
    }
  }

  /** For each value the sign that speaks for it most: by share, then by count, then by name. */
  of(signs: readonly string[]): Map<Value, Evidence> {
    const best = new Map<Value, Evidence>()
    for (const sign of signs) {
      const total = this.#totals.get(sign) ?? 0
      for (const [value, count] of this.#counts.get(sign) ?? []) {
        const evidence = { sign, count, total }
        const known = best.get(value)
        if (!known || isBetter(evidence, known)) best.set(value, evidence)
      }
    }
    return best
  }
}

function isBetter(a: Evidence, b: Evidence): boolean {
  const byShare = a.count * b.total - b.count * a.total
  return byShare !== 0 ? byShare > 0 : a.count !== b.count ? a.count > b.count : a.sign < b.sign
}

export interface Slot {
  weekday: Weekday
  hour: number
}

export function slotOf(instant: Date, timeZone: string): Slot {
  const wall = instantToWall(instant, timeZone)
  return {
    weekday: WEEKDAYS[(new Date(`${wall.slice(0, 10)}T00:00:00Z`).getUTCDay() + 6) % 7]!,
    hour: Number(wall.slice(11, 13)),
  }
}

const MAX_SLOTS = 3
/** Once is no habit. */
const MIN_TIMES = 2

/** The hours of the week in which most was completed; of equal ones the earlier in the week. */
export function busiestSlots(done: readonly DoneTask[], timeZone: string): (Slot & { completed: number })[] {
  const counts = new Map<string, Slot & { completed: number }>()
  for (const { completedAt } of done) {
    const slot = slotOf(completedAt, timeZone)
    const key = `${slot.weekday} ${slot.hour}`
    counts.set(key, { ...slot, completed: (counts.get(key)?.completed ?? 0) + 1 })
  }
  const inWeek = ({ weekday, hour }: Slot) => WEEKDAYS.indexOf(weekday) * 24 + hour
  return [...counts.values()]
    .filter(({ completed }) => completed >= MIN_TIMES)
    .toSorted((a, b) => b.completed - a.completed || inWeek(a) - inWeek(b))
    .slice(0, MAX_SLOTS)
}
