/** A process between its start and its end. What it still waits for when it ends never happens. */
export interface Life {
  readonly name: string
  isOver: boolean
  /** Rejects with {@link Killed} when the process is killed: how others, and its open transactions, notice. */
  readonly death: Promise<never>
  end(): void
}

export class Killed extends Error {
  readonly code = 'faults.killed'
  constructor(name: string) {
    super(`${name} was killed`)
    this.name = 'Killed'
  }
}

export function beginLife(name: string): Life {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {}) // nobody may be waiting when it ends
  const life: Life = {
    name,
    isOver: false,
    death: promise,
    end: () => {
      life.isOver = true
      reject(new Killed(name))
    },
  }
  return life
}

/** What a killed process waits for. */
export const never = <T>(): Promise<T> => new Promise(() => {})

interface Gate {
  life: Life | null
  label: string
  isReady: () => boolean
  open: () => void
}

export interface Scheduler {
  /** Waits until the scheduler chooses this gate. `life` is whose code waits; null is the world outside. */
  gate(life: Life | null, label: string, isReady?: () => boolean): Promise<void>
  /** Runs a call to PostgreSQL: nothing else moves until it is done, but for what it passes to `inside`. */
  outside<T>(call: () => Promise<T>): Promise<T>
  /** Within a call to PostgreSQL, a stretch of our own code that may wait at gates (the body of a transaction). */
  inside<T>(body: () => Promise<T>): Promise<T>
  /** Resolves when everything waits at a gate or is finished. */
  settle(): Promise<void>
  /** Gates that could be opened now, in the order in which they were reached. */
  ready(): readonly Gate[]
  open(gate: Gate): void
  /** Forgets the gates of a process that has ended. */
  forget(life: Life): void
}

/** So many turns of the event loop without news mean that only gates are left: request bodies take one or two. */
const QUIET_TURNS = 3
const MAX_CALL_MS = 20_000

/**
 * Lets asynchronous code run one step at a time. Whatever matters waits at a gate; the simulation opens one, waits until
 * all is quiet, and chooses again. So the order of steps depends on the seed and on nothing else.
 */
export function createScheduler(): Scheduler {
  let gates: Gate[] = []
  let calls = 0
  let news = 0
  let onNews: (() => void) | null = null
  const count = (change: number) => {
    calls += change
    news += 1
    onNews?.()
  }
  return {
    gate: (life, label, isReady = () => true) =>
      new Promise((open) => {
        if (life?.isOver) return
        news += 1
        gates.push({ life, label, isReady, open })
      }),
    outside: async (call) => {
      count(1)
      try {
        return await call()
      } finally {
        count(-1)
      }
    },
    inside: async (body) => {
      count(-1)
      try {
        return await body()
      } finally {
        count(1)
      }
    },
    settle: async () => {
      for (let quiet = 0; quiet < QUIET_TURNS;) {
        const before = news
        if (calls > 0) {
          await new Promise<void>((resolve, reject) => {
            const timer = setTimeout(reject, MAX_CALL_MS, new Error('a call to PostgreSQL does not end'))
            onNews = () => {
              clearTimeout(timer)
              resolve()
            }
          })
        }
        onNews = null
        await new Promise(setImmediate)
        quiet = calls === 0 && news === before ? quiet + 1 : 0
      }
    },
    ready: () => gates.filter((gate) => gate.isReady()),
    open: (gate) => {
      gates = gates.filter((other) => other !== gate)
      gate.open()
    },
    forget: (life) => {
      gates = gates.filter((gate) => gate.life !== life)
    },
  }
}
