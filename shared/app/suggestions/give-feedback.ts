import { fact } from '../../domain/decision.ts'
import { SuggestionFeedbackGiven } from '../../domain/events.ts'
import {
  suggestionKey,
  type SuggestionFeedback,
  type SuggestionFeedbackView,
} from '../../domain/suggestions/suggestion.ts'
import type { Writing } from '../commit-decision.ts'
import { guardedWrite } from '../guarded-write.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { taskNotFound, taskTarget } from '../tasks/write-task.ts'

/** Records what a user thinks of a suggestion, as an event. `If-Match` is about the task, which may be completed by then. */
export async function giveFeedback(
  deps: Writing,
  write: WriteContext,
  id: string,
  { verdict }: SuggestionFeedback,
): Promise<Answer<SuggestionFeedbackView>> {
  const key = suggestionKey(id)
  if (!key) throw taskNotFound()
  const { kind, taskId, value } = key
  return guardedWrite(deps, write, taskTarget(write, { id: taskId }), () => {
    const body = { kind, task_id: taskId, value, verdict, given_at: write.now.toISOString() }
    return {
      decision: { facts: [fact(SuggestionFeedbackGiven, `task/${taskId}`, { feedback: body })] },
      body,
    }
  })
}
