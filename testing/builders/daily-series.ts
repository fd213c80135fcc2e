import type { Client, TaskService } from '../worlds/task-service.ts'

/** What tests of one daily series look at, due at nine on 2 March. */
export const dailySeries = ({ sql }: TaskService) => ({
  daily: (user: Client, input: object = {}) =>
    user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily', tags: ['home'], ...input }),
  /** Types of what happened to the user, in order. */
  types: async (user: Client, after = 0) => (await user.events(after)).map(({ type }) => type),
  /** States of its occurrences, in order. */
  history: async (seriesId: string | null) => {
    const rows = await sql<{ state: string }[]>`
      select state from occurrences where series_id = ${seriesId} order by occurrence_at`
    return rows.map((row) => row.state)
  },
})
