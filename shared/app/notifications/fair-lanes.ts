interface Work {
  run: () => Promise<void>
  /** What its owner has in common with others. */
  shared: string | undefined
}

interface Owner {
  running: number
  waiting: Work[]
}

export interface FairLanes {
  /** Begins with a work as soon as there is a lane for it, its owner and what it shares with others'. It must not reject. */
  add(owner: string, work: () => Promise<void>, shared?: string): void
  /** Owners with works that wait for each other: there is no point in looking for more of theirs. */
  crowding(): string[]
  size(): number
  isFull(): boolean
  /** Resolves when a work ends; there must be one. */
  next(): Promise<void>
  /** Resolves when all have ended; there must be one. */
  idle(): Promise<void>
}

/** How many owners it takes to fill all lanes: one whose other side never answers leaves three quarters to the others. */
const SHARES = 4

/** Runs works side by side, so many in all and a quarter of them for one owner, and for all that share something. */
export function createFairLanes(lanes: number): FairLanes {
  const most = Math.max(1, Math.floor(lanes / SHARES))
  const owners = new Map<string, Owner>()
  const sharing = new Map<string, number>()
  let running = 0
  let ended = Promise.withResolvers<void>()
  let allEnded = Promise.withResolvers<void>()

  function start(name: string, owner: Owner): void {
    while (owner.running < most && running < lanes) {
      const next = owner.waiting.findIndex(({ shared = '' }) => (sharing.get(shared) ?? 0) < most)
      const [work] = next === -1 ? [] : owner.waiting.splice(next, 1)
      if (!work) return
      owner.running += 1
      running += 1
      share(work, 1)
      void work.run().finally(() => finish(name, owner, work))
    }
  }
  function share({ shared }: Work, by: 1 | -1): void {
    if (shared === undefined) return
    const count = (sharing.get(shared) ?? 0) + by
    if (count > 0) sharing.set(shared, count)
    else sharing.delete(shared)
  }
  function finish(name: string, owner: Owner, work: Work): void {
    owner.running -= 1
    running -= 1
    share(work, -1)
    for (const [other, waiting] of owners) start(other, waiting)
    if (owner.running === 0 && owner.waiting.length === 0) owners.delete(name)
    ended.resolve()
    ended = Promise.withResolvers()
    if (owners.size > 0) return
    allEnded.resolve()
    allEnded = Promise.withResolvers()
  }
  return {
    add: (name, run, shared) => {
      const owner = owners.get(name) ?? { running: 0, waiting: [] }
      owners.set(name, owner)
      owner.waiting.push({ run, shared })
      start(name, owner)
    },
    crowding: () => [...owners].filter(([, { waiting }]) => waiting.length > 0).map(([name]) => name),
    size: () => [...owners.values()].reduce((sum, one) => sum + one.running + one.waiting.length, 0),
    isFull: () => running >= lanes,
    next: () => ended.promise,
    idle: () => allEnded.promise,
  }
}
