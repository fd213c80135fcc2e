import { describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../testing/worlds/database.ts'
import { fragment, joined, run, verbatim } from './fragment.ts'

const sql = await testDatabase({ max: 1 })
const rowsOf = (rows: readonly never[]): unknown => structuredClone([...rows])

describe('fragments', () => {
  it('number the values of the whole in order', async () => {
    const sums = [1, 2, 3].map((n) => fragment`select ${n}::int + ${10}::int as sum`)
    const statement = fragment`select sum from (${joined(sums, ' union all ')}) x where sum > ${11}::int order by ${verbatim('sum desc')}`
    expect(await run(sql, statement, rowsOf)).toEqual([{ sum: 13 }, { sum: 12 }])
  })

  it('send what is inserted as a value, whatever it looks like', async () => {
    const hostile = `'); drop table tasks; --`
    expect(await run(sql, fragment`select ${hostile}::text as text`, rowsOf)).toEqual([{ text: hostile }])
  })

  it('keep nothing of statements that fail', async () => {
    const kept = vi.spyOn(Map.prototype, 'set')
    for (let time = 0; time < 5; time += 1) {
      const failing = fragment`select ${0}::int / ${0}::int as never`
      await expect(run(sql, failing, rowsOf)).rejects.toThrow('division by zero')
    }
    const texts = kept.mock.calls.filter(([key]) => Array.isArray(key) && String(key[0]).includes('as never'))
    kept.mockRestore()
    expect(texts).toEqual([])
  })
})
