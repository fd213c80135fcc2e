import type { StartTimer } from '../../app/ports.ts'
import { DomainError } from '../../domain/errors.ts'

/** A user's requests that wait for each other, and for how long one does. */
export const MAX_WAITING = 200
const MAX_WAIT_MS = 10_000

interface Waiting {
  weight: number
  begin: () => void
}

interface Owner {
  running: number
  waiting: Waiting[]
}

/** Runs a work as soon as its owner has room for it. It takes up its room until `held` of its result is over, too. */
export type InTurn = <T>(
  owner: string,
  weight: number,
  work: () => Promise<T>,
  held?: (result: T) => Promise<void> | undefined,
) => Promise<T>

/**
 * Leaves each owner a share, however many owners there are (decision 085): works that weigh `maxWeight` together run side by side, the others wait in the order they
 * came. More than may wait, or what has waited too long, is refused: `rate_limit.exceeded`.
 */
export function createTurns(maxWeight: number, startTimer: StartTimer): InTurn {
  const owners = new Map<string, Owner>()

  function begin(owner: Owner): void {
    for (;;) {
      const [first] = owner.waiting
      if (!first || owner.running + first.weight > maxWeight) return
      owner.waiting.shift()
      owner.running += first.weight
      first.begin()
    }
  }

  function turn(owner: Owner, weight: number): Promise<void> {
    if (owner.waiting.length >= MAX_WAITING) throw tooMany('Too many requests at once.')
    return new Promise((resolve, reject) => {
      const callOff = startTimer(() => {
        owner.waiting.splice(owner.waiting.indexOf(waiting), 1)
        reject(tooMany('Your other requests take too long.'))
        begin(owner) // a heavy one may have held up lighter ones
      }, MAX_WAIT_MS)
      const waiting = {
        weight,
        begin: () => {
          callOff()
          resolve()
        },
      }
      owner.waiting.push(waiting)
    })
  }

  return async function inTurn(name, given, work, held) {
    const weight = Math.min(given, maxWeight)
    const owner = owners.get(name) ?? { running: 0, waiting: [] }
    owners.set(name, owner)
    if (owner.waiting.length === 0 && owner.running + weight <= maxWeight) owner.running += weight
    else await turn(owner, weight)
    const end = () => {
      owner.running -= weight
      begin(owner)
      if (owner.running === 0) owners.delete(name)
    }
    let holding: Promise<void> | undefined
    try {
      const result = await work()
      holding = held?.(result)
      return result
    } finally {
      if (holding) void holding.then(end)
      else end()
    }
  }
}

const tooMany = (message: string): DomainError =>
  new DomainError('rate_limit.exceeded', message, { retryAfterSeconds: 1 })
