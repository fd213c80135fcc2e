import { z } from 'zod'
import { giveFeedback } from '../../shared/app/suggestions/give-feedback.ts'
import {
  SuggestionFeedback,
  SuggestionFeedbackView,
  SuggestionId,
} from '../../shared/domain/suggestions/suggestion.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// If-Match is about the task.
export default httpFunction({
  route: 'POST /api/suggestions/:id/feedback',
  summary: 'Accept or dismiss a suggestion; later ones take it into account',
  auth: 'tasks:write',
  uses: ['suggestions', 'events'],
  retrySafe: true,
  params: z.object({ id: SuggestionId }),
  body: SuggestionFeedback,
  output: SuggestionFeedbackView,
  refuses: ['task.not_found', 'task.version_conflict'],
  handle: ({ params, body, write, deps }) => giveFeedback(deps, write, params.id, body),
})
