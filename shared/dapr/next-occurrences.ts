import type { NextOccurrences } from '../app/ports.ts'
import type { DaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'

/** App-id of the unit that owns the tasks (shared/kit/units.ts). */
const TASKS = 'tasks-api'
/** Longer than daprd's own retries (resiliency-units.yaml), shorter than the 30 s that a delivery has. */
const TIMEOUT_MS = 25_000

/**
 * Has the occurrences of events made by functions/tasks/make-next-occurrence.ts. What is not a 204 is not known to be
 * done: the event is delivered again, and the mark that travels along keeps the effect single.
 */
export const invokedNextOccurrences = (
  { invoke }: Pick<DaprClient, 'invoke'>,
  timeoutMs = TIMEOUT_MS,
): NextOccurrences => ({
  create: async ({ userId, seriesId, trace, mark }) => {
    const answer = await invoke(TASKS, {
      ...{ method: 'POST', path: '/internal/next-occurrences', timeoutMs },
      headers: new Headers({
        ...{ 'content-type': 'application/json', traceparent: trace.traceparent },
        ...(trace.tracestate !== null && { tracestate: trace.tracestate }),
      }),
      body: JSON.stringify({
        ...{ user_id: userId, series_id: seriesId },
        mark: { consumer: mark.consumer, event_id: mark.eventId },
      }),
    })
    if (answer.status === 204) return
    throw new DaprError({
      ...{ operation: `invoke ${TASKS} POST`, kind: 'refused', status: answer.status },
      body: answer.body.toString(),
    })
  },
})
