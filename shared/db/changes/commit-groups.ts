/** What a group needs to know of its work. */
export interface Grouping<Item, Result> {
  /** Items of one key are never in two groups at once. */
  keyOf: (item: Item) => string
  /** How many an item counts for, of those that one group may have. */
  sizeOf: (item: Item) => number
  /** Runs items together; one result for each, in their order. Those that take longer do not keep the next group waiting. */
  run: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>
}

interface Waiting<Item, Result> extends PromiseWithResolvers<Result> {
  item: Item
}

/** Two, so that one is worked on while the other waits for the disk. */
const GROUPS_AT_ONCE = 2
/** With the last item, well below the 64 subtransactions that PostgreSQL keeps at hand for a session. */
const MAX_GROUP = 32

/**
 * Group commit: what comes while others are being committed waits for them and is then committed together, so a busy
 * process needs few transactions and few flushes of the log. When nothing is under way nothing waits.
 */
export function inGroups<Item, Result>({
  keyOf,
  sizeOf,
  run,
}: Grouping<Item, Result>): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = []
  const busyKeys = new Set<string>()
  let groups = 0

  /** The first of the waiting whose keys are free. */
  function nextGroup(): Waiting<Item, Result>[] {
    const group: Waiting<Item, Result>[] = []
    const rest: Waiting<Item, Result>[] = []
    let size = 0
    for (const one of waiting) {
      const isFree = size < MAX_GROUP && !busyKeys.has(keyOf(one.item))
      if (isFree) size += sizeOf(one.item)
      ;(isFree ? group : rest).push(one)
    }
    waiting = rest
    return group
  }

  async function runGroup(group: Waiting<Item, Result>[]): Promise<void> {
    const byKey = Map.groupBy(group, ({ item }) => keyOf(item))
    for (const key of byKey.keys()) busyKeys.add(key)
    groups += 1
    try {
      const results = await run(group.map(({ item }) => item))
      for (const [index, { resolve }] of group.entries()) resolve(results[index]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
    groups -= 1
    for (const [key, ours] of byKey) void freeWhenSettled(key, ours)
    start()
  }

  async function freeWhenSettled(key: string, ours: Waiting<Item, Result>[]): Promise<void> {
    await Promise.allSettled(ours.map(({ promise }) => promise))
    busyKeys.delete(key)
    start()
  }

  function start(): void {
    while (groups < GROUPS_AT_ONCE && waiting.length > 0) {
      const group = nextGroup()
      if (group.length === 0) return
      void runGroup(group)
    }
  }

  return (item) => {
    const one = { item, ...Promise.withResolvers<Result>() }
    waiting.push(one)
    start()
    return one.promise
  }
}
