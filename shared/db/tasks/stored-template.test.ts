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

it('a series that was stored by an earlier release has all that its occurrences inherit', () => {
  const row = seriesToRow(aSeries())
  const read = (template: object) => seriesFromRow({ ...row, template } as unknown as SeriesRow).template
  expect(
    read(STORED),
    'Stored series lack a field of SeriesTemplate. Set it in series.template by a migration, then add it to STORED here; ' +
      'the rest is under "A column of tasks" in CODEBASE.md.',
  ).toEqual(read(row.template))
})
