import { describe, expect, it } from 'vitest'
import { testDatabase } from '../worlds/database.ts'
import regressions from './regressions.json' with { type: 'json' }
import { BROKEN_PRODUCTS } from './sabotage.ts'
import { simulate, type Run } from './simulation.ts'

const SEEDS = [...regressions.seeds, ...Array.from({ length: 50 }, (_, index) => index + 1)]
const ENOUGH_SEEDS = 60

const sql = await testDatabase({ max: 20 })
let runs = 0
/** Keeps the ids of runs of the same seed apart. */
const nextRun = () => (++runs).toString(16).padStart(12, '0')

describe('whatever crashes, is lost, doubled, late or out of order', () => {
  it(`every promise of Daybook holds for ${SEEDS.length} seeds`, async () => {
    const broken: Pick<Run, 'seed' | 'violations'>[] = []
    for (const seed of SEEDS) {
      const { violations } = await simulate({ sql, seed, run: nextRun() })
      if (violations.length > 0) broken.push({ seed, violations })
    }
    expect(broken).toEqual([])
  }, 60_000)
})

describe('the oracle', () => {
  it.each(BROKEN_PRODUCTS)('is red when $flaw', async ({ rule, sabotage }) => {
    // A database of its own: what a broken product leaves behind would be swept up by the next run.
    const sql = await testDatabase({ max: 20 })
    const found = new Set<string>()
    for (let seed = 1; seed <= ENOUGH_SEEDS && !found.has(rule); seed += 1) {
      const { violations } = await simulate({ sql, seed, run: nextRun(), sabotage })
      for (const violation of violations) found.add(violation.rule)
    }
    expect([...found]).toContain(rule)
  })
})

describe('a seed', () => {
  it.each([1, 4, 5])('tells the same story every time: %i', async (seed) => {
    const tell = async () => {
      const run = nextRun()
      const { story } = await simulate({ sql, seed, run })
      return story.join('\n').replaceAll(`${run.slice(0, 8)}-${run.slice(8)}`, 'run')
    }
    const once = await tell()
    expect(await tell()).toBe(once)
    expect(once.split('\n').length).toBeGreaterThan(100)
  })
})
