import { vi } from 'vitest'
import type { Client, HappenedEvent } from '../../worlds/task-service.ts'

interface Made {
  /** `task.completed`. */
  cause: HappenedEvent
  /** `task.occurrence.generated`. */
  effect: HappenedEvent
}

/** A daily task of its own, completed in a request with these headers; resolves when a consumer has made the next one. */
export async function completedDaily(user: Client, headers: Record<string, string> = {}): Promise<Made> {
  const { id, series_id } = await user.create({ due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' })
  await user.does('POST', `/api/tasks/${id}/complete`, undefined, headers)
  return await vi.waitFor(
    async () => {
      const events = await user.events()
      const cause = events.find(({ type, data }) => type === 'task.completed' && data.task.id === id)
      const effect = events.find(
        ({ type, data }) => type === 'task.occurrence.generated' && data.task.series_id === series_id,
      )
      if (!cause || !effect) throw new Error(`so far: ${events.map(({ type }) => type).join()}`)
      return { cause, effect }
    },
    { timeout: 30_000 },
  )
}

export const traceIdOf = ({ traceparent }: HappenedEvent): string | undefined => traceparent.split('-')[1]
