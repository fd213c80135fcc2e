import { expect, it } from 'vitest'
import { aSeries } from '../../../testing/builders/a-task.ts'
import { seriesFromRow, seriesToRow, type SeriesRow } from './task-rows.ts'

/** What `series.template` holds at least of each series there is: that of the first release, and what migrations set. */
const STORED = {
  title: 'Water plants',
  description: null,
  priority: 'medium',
  tags: [],
  parent_id: null,
  is_floating: false,
}

const WHAT_TO_DO =
  'set it in series.template by a migration and add it to STORED; the rest is under "A column of tasks" in CODEBASE.md'

it('a series that was stored by an earlier release has all that its occurrences inherit', () => {
  const row = seriesToRow(aSeries())
  const read = (template: object) => seriesFromRow({ ...row, template } as unknown as SeriesRow).template
  const stored = Object.entries(read(STORED)).flatMap(([field, value]) => (value === undefined ? [] : field))
  const lacking = Object.keys(read(row.template)).filter((field) => !stored.includes(field))
  expect(lacking.map((field) => `stored series lack ${field}: ${WHAT_TO_DO}`)).toEqual([])
})
