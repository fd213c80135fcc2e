import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideMove, decideOrder, positionAt, SPACING, type Placed } from './reorder.ts'

const byPlace = (a: Placed, b: Placed) => a.position - b.position || (a.id < b.id ? -1 : 1)
const names = (tasks: readonly Placed[]) => tasks.toSorted(byPlace).map(({ id }) => id)

function apply(tasks: readonly Placed[], moved: readonly Placed[]): Placed[] {
  const changes = new Map(moved.map((task) => [task.id, task]))
  return tasks.map((task) => changes.get(task.id) ?? task)
}

/** Crowded lists: few positions, so that many tasks share one. */
const lists = fc
  .array(
    fc.integer({ min: 0, max: 3 * SPACING }).map((n) => (n % 3 === 0 ? n : n % 7)),
    { minLength: 2, maxLength: 30 },
  )
  .map((positions) =>
    positions.map((position, n): Placed => ({ id: String.fromCodePoint(97 + n), position, version: 1 })),
  )

describe('decideMove', () => {
  it('puts the task where it is asked to, leaves the others in order and touches nothing above', () => {
    fc.assert(
      fc.property(lists, fc.nat(), fc.nat(), (tasks, from, to) => {
        const sorted = tasks.toSorted(byPlace)
        const task = sorted[from % sorted.length]!
        const others = sorted.filter((other) => other !== task)
        const place = to % (others.length + 1)
        const moved = decideMove(task, others[place - 1] ?? null, others.slice(place))
        expect(names(apply(tasks, moved))).toEqual(others.map(({ id }) => id).toSpliced(place, 0, task.id))
        for (const { id, version } of moved) {
          expect(version).toBe(2)
          expect(others.slice(0, place).map((other) => other.id)).not.toContain(id)
        }
        expect(new Set(moved.map(({ id }) => id)).size).toBe(moved.length)
      }),
    )
  })

  it('moves nothing when the task is there already, also at the ends', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id, n): Placed => ({ id, position: n * SPACING, version: 1 })) as [
      Placed,
      Placed,
      Placed,
    ]
    expect(decideMove(a, null, [b, c])).toEqual([])
    expect(decideMove(b, a, [c])).toEqual([])
    expect(decideMove(c, b, [])).toEqual([])
  })

  it('touches one task while there is a place between its neighbours', () => {
    const above = { id: 'a', position: 10, version: 1 }
    const below = { id: 'b', position: 12, version: 1 }
    const task = { id: 'c', position: 99, version: 4 }
    expect(decideMove(task, above, [below])).toEqual([{ id: 'c', position: 11, version: 5 }])
  })

  it('pushes followers no further than the first that is out of the way', () => {
    const place = (id: string, position: number): Placed => ({ id, position, version: 1 })
    const following = [place('b', 11), place('c', 12), place('d', 10 + 10 * SPACING)]
    const moved = decideMove(place('x', 5), place('a', 10), following)
    expect(moved.map(({ id }) => id)).toEqual(['x', 'b', 'c'])
  })
})

describe('decideOrder', () => {
  it('puts the named tasks in the given order, and moves no other', () => {
    fc.assert(
      fc.property(lists, fc.integer(), (tasks, seed) => {
        const order = tasks.map(({ id }) => id).toSorted((a, b) => hash(a, seed) - hash(b, seed))
        expect(names(apply(tasks, decideOrder(tasks, order)))).toEqual(order)
        expect(decideOrder(apply(tasks, decideOrder(tasks, order)), order)).toEqual([])
      }),
    )
  })
})

describe('decideOrder of some tasks', () => {
  it('moves none past a task that is not named, unless they share a place with it', () => {
    fc.assert(
      fc.property(lists, fc.integer(), (crowded, seed) => {
        const tasks = crowded.map((task) => ({ ...task, position: task.position * SPACING }))
        const named = tasks.filter(({ id }) => hash(id, seed) % 2 === 0)
        const order = named.map(({ id }) => id).toSorted((a, b) => hash(b, seed) - hash(a, seed))
        const after = apply(tasks, decideOrder(named, order))
        for (const other of tasks.filter((task) => !named.includes(task))) {
          const above = (list: readonly Placed[]) =>
            list.filter(({ id, position }) => order.includes(id) && position < other.position).length
          expect(above(after)).toBe(above(tasks))
        }
      }),
    )
  })
})

describe('positionAt', () => {
  it('grows with time and stays a whole number that JSON keeps', () => {
    const [now, later] = [new Date('2026-03-02T12:00:00.000Z'), new Date('2026-03-02T12:00:00.001Z')]
    expect(positionAt(later) - positionAt(now)).toBe(SPACING)
    expect(Number.isSafeInteger(positionAt(new Date('2240-01-01')))).toBe(true)
  })
})

const hash = (id: string, seed: number): number => ((id.codePointAt(0)! * 7919) ^ seed) % 1009
