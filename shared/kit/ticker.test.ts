import { describe, expect, it, onTestFinished } from 'vitest'
import { startTicker, type Poll } from './ticker.ts'

const START = Date.parse('2026-03-02T12:00:00Z')

/** A ticker on a clock that the test moves; what it does is noted as the seconds since the start. */
function ticking(over: Partial<Poll> = {}) {
  let now = START
  let timer: { work: () => void; at: number } | null = null
  const runs: number[] = []
  const logged: unknown[] = []
  const startTimer = (work: () => void, ms: number) => {
    const mine = { work, at: now + ms }
    timer = mine
    return () => {
      if (timer === mine) timer = null
    }
  }
  const log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: object) => void logged.push(fields),
  }
  const ticker = startTicker(
    {
      name: 'sweep',
      everyMs: 15_000,
      nextAt: async () => null,
      ...over,
      run: async () => {
        runs.push((now - START) / 1000)
        await over.run?.()
      },
    },
    { clock: { now: () => new Date(now) }, log, startTimer },
  )
  onTestFinished(ticker.stop)
  const settle = () => new Promise(setImmediate)
  return {
    ticker,
    runs,
    logged,
    settle,
    isWaiting: () => timer !== null,
    /** Lets time pass up to a number of seconds after the start. */
    until: async (seconds: number) => {
      await settle()
      while (timer && timer.at <= START + seconds * 1000) {
        const due: { work: () => void; at: number } = timer
        ;[now, timer] = [due.at, null]
        due.work()
        await settle()
      }
      now = START + seconds * 1000
    },
  }
}

const inSeconds = (seconds: number) => new Date(START + seconds * 1000)

describe('a ticker', () => {
  it('runs at once and then at least every so often', async () => {
    const { runs, until } = ticking()
    await until(40)
    expect(runs).toEqual([0, 15, 30])
  })

  it('runs when the next work comes up', async () => {
    const times = [4, 9.5].map(inSeconds)
    const { runs, until } = ticking({ nextAt: async () => times.shift() ?? null })
    await until(30)
    expect(runs).toEqual([0, 4, 9.5, 24.5])
  })

  it('looks again before work that is far off', async () => {
    const { runs, until } = ticking({ nextAt: async () => inSeconds(3600) })
    await until(31)
    expect(runs).toEqual([0, 15, 30])
  })

  it('never runs twice at once, however long a run takes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { runs, until } = ticking({ run: () => promise, nextAt: async () => inSeconds(0) })
    await until(60)
    expect(runs).toEqual([0])
    resolve()
    await until(60.03)
    expect(runs).toEqual([0, 60.02])
  })

  it('goes on after failures every second, and logs a row of them once', async () => {
    let isAway = true
    const run = async () => {
      if (isAway) throw new Error('the database is away')
    }
    const { runs, logged, until } = ticking({ run })
    await until(2.5)
    expect(runs).toEqual([0, 1, 2])
    expect(logged).toHaveLength(1)
    isAway = false
    await until(4)
    isAway = true
    await until(19)
    expect(runs).toEqual([0, 1, 2, 3, 18, 19])
    expect(logged).toHaveLength(2)
  })

  it('stops after the run that is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { ticker, runs, settle, isWaiting } = ticking({ run: () => promise })
    let isStopped = false
    const stopping = ticker.stop().then(() => (isStopped = true))
    await settle()
    expect(isStopped).toBe(false)
    resolve()
    await stopping
    expect([runs, isWaiting()]).toEqual([[0], false])
  })

  it('stops while it waits', async () => {
    const { ticker, runs, until, isWaiting } = ticking()
    await until(16)
    await ticker.stop()
    await until(60)
    expect([runs, isWaiting()]).toEqual([[0, 15], false])
  })
})
