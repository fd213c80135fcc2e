type Rows = Readonly<Record<string, unknown>>

/**
 * Parts of a change that say no more than rows and counts. Rows that two changes have in common are refused when they are
 * merged: each carries its next version, and no row is touched twice by one statement. Changed occurrences have no version.
 */
const LISTS = [
  'new_tasks',
  'changed_tasks',
  'new_occurrences',
  'unchanged_tasks',
  'new_reminders',
  'series',
  'tag_deltas',
  'events',
  'processed',
]
const COUNTS = ['active_delta', 'completed_delta']
const MERGED = new Set(['user_id', 'at', ...LISTS, ...COUNTS])

/**
 * Several changes of one user as one, for commit_change: it costs little more than the first of them. Null when one has a part
 * that cannot be merged, or there is but one. Refused is refused: then each is to be tried by itself.
 */
export function mergedRows(changes: readonly Rows[]): Rows | null {
  if (changes.length < 2 || changes.some((change) => Object.keys(change).some((key) => !MERGED.has(key))))
    return null
  const lists = LISTS.flatMap((key) => {
    const rows = changes.flatMap((change) => (change[key] ?? []) as unknown[])
    return rows.length > 0 ? [[key, rows] as const] : []
  })
  const counts = COUNTS.map((key) => [key, changes.reduce((sum, change) => sum + Number(change[key]), 0)])
  return { ...changes.at(-1), ...Object.fromEntries([...lists, ...counts]) }
}
