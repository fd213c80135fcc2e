/** Runs work in the order it came, some of it at the same time. */
export interface WorkQueue {
  add(work: () => Promise<void>): void
  /** Starts what may run, after `mayRun` has changed, and looks after those who wait. */
  pump(): void
  isAtRest(): boolean
  isEmpty(): boolean
  /** Resolves when the condition holds; it is looked at whenever work ends or `pump` is called. */
  waitUntil(condition: () => boolean): Promise<void>
}

export function createWorkQueue(options: {
  concurrency: number
  mayRun: () => boolean
  onError: (error: unknown) => void
}): WorkQueue {
  const ready: (() => Promise<void>)[] = []
  let active = 0
  let waiters: { condition: () => boolean; resolve: () => void }[] = []

  const queue: WorkQueue = {
    add(work) {
      ready.push(work)
      queue.pump()
    },
    pump() {
      while (active < options.concurrency && ready.length > 0 && options.mayRun()) {
        active += 1
        void ready.shift()!()
          .catch(options.onError)
          .finally(() => {
            active -= 1
            queue.pump()
          })
      }
      const met = waiters.filter(({ condition }) => condition())
      if (met.length > 0) waiters = waiters.filter((waiter) => !met.includes(waiter))
      for (const { resolve } of met) resolve()
    },
    isAtRest: () => active === 0,
    isEmpty: () => ready.length === 0,
    async waitUntil(condition) {
      if (!condition()) await new Promise<void>((resolve) => waiters.push({ condition, resolve }))
    },
  }
  return queue
}
