import { describe, expect, it } from 'vitest'
import { systemIds } from './system.ts'

describe('ids', () => {
  it('are UUIDs of version 7 that increase, also within a millisecond', () => {
    const ids = Array.from({ length: 5000 }, () => systemIds.uuid())
    expect(ids).toEqual([...new Set(ids)].toSorted())
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('hold the time they were made', () => {
    const before = Date.now()
    const at = Number.parseInt(systemIds.uuid().replaceAll('-', '').slice(0, 12), 16)
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now())
  })

  it('come with random bytes of any number, never the same', () => {
    const drawn = Array.from({ length: 2000 }, () => systemIds.hex(32))
    expect(new Set(drawn).size).toBe(2000)
    expect(drawn.every((hex) => /^[0-9a-f]{64}$/.test(hex))).toBe(true)
    expect(systemIds.hex(8)).toHaveLength(16)
  })
})
