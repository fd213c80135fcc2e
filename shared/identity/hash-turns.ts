import type { Visitor } from '../app/auth/ports.ts'
import { DomainError } from '../domain/errors.ts'

export interface TurnLimits {
  atOnce: number
  /** In each lane. */
  maxWaiting: number
}

/** Seconds until the crowd that made us refuse has gone through. */
const RETRY_AFTER_SECONDS = 10
/** Clients whose turns are counted while others wait; beyond, all begin anew. */
const MAX_COUNTED = 10_000

interface Waiting {
  client: string
  begin: () => void
  refuse: (error: DomainError) => void
}

type Lane = ReturnType<typeof createLane>

/**
 * Runs at most `atOnce` works. The lanes take turns; within a lane, the client goes first that had the fewest turns since
 * the lane was last empty, so a crowd of one client, or of a dozen, delays a newcomer by one turn and not by its length.
 * When a lane is full, the client with the most in it loses its last one: `auth.rate_limited`.
 */
export function createHashTurns({ atOnce, maxWaiting }: TurnLimits) {
  const lanes = { known: createLane(maxWaiting), unknown: createLane(maxWaiting) }
  const busy = new Set<string>()
  let running = 0
  let last: Lane = lanes.unknown

  function startNext(): void {
    while (running < atOnce) {
      const order = last === lanes.known ? [lanes.unknown, lanes.known] : [lanes.known, lanes.unknown]
      const lane = order.find((one) => one.has(busy))
      const next = lane?.take(busy)
      if (!lane || !next) return
      last = lane
      running += 1
      busy.add(next.client)
      next.begin()
    }
  }

  return async function inTurn<T>(visitor: Visitor, work: () => Promise<T>): Promise<T> {
    const { client } = visitor
    const lane = lanes[visitor.lane]
    await new Promise<void>((begin, refuse) => {
      lane.add({ client, begin, refuse })
      startNext()
    })
    try {
      return await work()
    } finally {
      running -= 1
      busy.delete(client)
      lane.ended()
      startNext()
    }
  }
}

function createLane(maxWaiting: number) {
  const waiting: Waiting[] = []
  const turns = new Map<string, number>()
  let running = 0

  /** Makes room at the expense of whoever takes up the most of it, which may be who came last. */
  function evict(): void {
    const byClient = Map.groupBy(waiting, ({ client }) => client)
    const most = [...byClient.values()].reduce((one, other) => (other.length >= one.length ? other : one))
    const loser = most.at(-1)!
    waiting.splice(waiting.indexOf(loser), 1)
    loser.refuse(tooManyAtOnce())
  }
  return {
    add(one: Waiting): void {
      waiting.push(one)
      if (waiting.length > maxWaiting) evict()
    },
    has: (busy: ReadonlySet<string>): boolean => waiting.some(({ client }) => !busy.has(client)),
    take(busy: ReadonlySet<string>): Waiting | undefined {
      const turnsOf = ({ client }: Waiting) => turns.get(client) ?? 0
      const free = waiting.filter(({ client }) => !busy.has(client))
      const [first, ...others] = free
      if (!first) return undefined
      const next = others.reduce((one, other) => (turnsOf(other) < turnsOf(one) ? other : one), first)
      waiting.splice(waiting.indexOf(next), 1)
      if (turns.size >= MAX_COUNTED) turns.clear()
      turns.set(next.client, turnsOf(next) + 1)
      running += 1
      return next
    },
    ended(): void {
      running -= 1
      if (running + waiting.length === 0) turns.clear()
    },
  }
}

const tooManyAtOnce = (): DomainError =>
  new DomainError('auth.rate_limited', 'Too many sign-ins at once; try again later.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
