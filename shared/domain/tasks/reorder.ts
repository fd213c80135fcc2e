/** Room left between neighbours, so that most moves touch one row. */
export const SPACING = 1024

export interface Placed {
  id: string
  position: number
  version: number
}
type Moved = Placed

/** A new task goes to the end of the user's order: positions grow with time. Stays below 2^53 until the year 2248. */
export const positionAt = (now: Date): number => now.getTime() * SPACING

const byPlace = (a: Placed, b: Placed) => a.position - b.position || (a.id < b.id ? -1 : 1)

/**
 * Puts the given tasks into the given order among themselves; they share out the places they have now, so tasks that
 * are not named keep theirs. Of named tasks with the same place (made in the same millisecond) each takes the next
 * number, and may so pass one that is not named and has that place or one of those numbers. Returns the tasks that move.
 */
export function decideOrder(tasks: readonly Placed[], order: readonly string[]): Moved[] {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const places = tasks.toSorted(byPlace).map((task) => task.position)
  let previous = -Infinity
  return order.flatMap((id, index) => {
    const task = byId.get(id)!
    const position = Math.max(places[index]!, previous + 1)
    previous = position
    return position === task.position ? [] : [{ id, position, version: task.version + 1 }]
  })
}

/**
 * Moves a task between two neighbours (either may be missing at an end of the list). Where there is no whole number
 * between them, the tasks that follow are pushed on just as far as needed, `spacing` apart; `following` starts with the lower neighbour.
 * A task that is between them already stays.
 */
export function decideMove(
  task: Placed,
  above: Placed | null,
  following: readonly Placed[],
  spacing = SPACING,
): Moved[] {
  const below = following[0]
  if ((!above || byPlace(above, task) < 0) && (!below || byPlace(task, below) < 0)) return []
  if (!below) return moveTo(task, above ? offGrid(above.position + SPACING) : task.position)
  if (!above) return moveTo(task, below.position - SPACING)
  const middle = Math.floor((above.position + below.position) / 2)
  if (middle > above.position && middle < below.position) return moveTo(task, middle)

  let previous = offGrid(above.position + spacing)
  const moved = moveTo(task, previous)
  for (const next of following) {
    if (next.position > previous) break
    previous = offGrid(previous + spacing)
    moved.push({ id: next.id, position: previous, version: next.version + 1 })
  }
  return moved
}

/** Beside the places of new tasks ({@link positionAt}), one of which may be made at this moment. */
const offGrid = (position: number): number => (position % SPACING === 0 ? position + 1 : position)

const moveTo = (task: Placed, position: number): Moved[] =>
  position === task.position ? [] : [{ id: task.id, position, version: task.version + 1 }]
