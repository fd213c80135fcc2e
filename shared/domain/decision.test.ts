import { describe, expect, it } from 'vitest'
import { aTask } from '../../testing/builders/a-task.ts'
import { revise, updatedFact } from './decision.ts'

const NOW = new Date('2026-03-02T12:00:00Z')

describe('updatedFact', () => {
  const before = aTask({ tags: ['home'], dueAt: NOW, dueDate: '2026-03-02' })

  it('tells the fields that differ as the API names them, and no other', () => {
    const later = new Date('2026-03-03T12:00:00Z')
    const edits = { priority: 'high', tags: ['home', 'rent'], dueAt: later, dueDate: '2026-03-03' } as const
    const after = revise(before, NOW, edits)
    expect(updatedFact(before, after)).toMatchObject({
      definition: { type: 'task.updated' },
      subject: `task/${before.id}`,
      data: {
        task: { id: before.id, version: 2, updated_at: NOW.toISOString() },
        changes: {
          priority: { old: 'medium', new: 'high' },
          tags: { old: ['home'], new: ['home', 'rent'] },
          due_at: { old: NOW.toISOString(), new: later.toISOString() },
          due_date: { old: '2026-03-02', new: '2026-03-03' },
        },
      },
    })
    expect(Object.keys((updatedFact(before, after)!.data as { changes: object }).changes)).toHaveLength(4)
  })

  it('is none when only the version and its time differ', () => {
    expect(updatedFact(before, revise(before, NOW, {}))).toBeNull()
  })

  it('is never none when the series changed, and tells what of it a client can see', () => {
    const seriesTerms = { isAllDay: false, monthEnd: 'skip', exdates: [], rdates: [] } as const
    const task = aTask({ recurrenceRule: 'FREQ=DAILY', seriesTerms })
    const told = (terms: object) =>
      updatedFact(task, revise(task, NOW, { seriesTerms: { ...seriesTerms, ...terms } }), true)?.data
    expect(told({ exdates: [NOW], monthEnd: 'clamp' })).toMatchObject({
      changes: {
        exdates: { old: [], new: [NOW.toISOString()] },
        month_end: { old: 'skip', new: 'clamp' },
      },
    })
    expect(told({})).toMatchObject({ changes: {} })
  })
})
