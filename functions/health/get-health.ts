import { askSurroundings, HealthReport, healthReport, refusalFor } from '../../shared/app/surroundings.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { problemResponse } from '../../shared/kit/problem.ts'

// The same as /healthz, where clients of the API look for it.
export default httpFunction({
  route: 'GET /api/health',
  summary: 'Health in one word: 503 when the database does not answer',
  auth: 'none',
  refuses: ['service.unavailable'],
  output: HealthReport,
  handle: async ({ deps, context }) => {
    const surroundings = await askSurroundings(deps)
    const refusal = refusalFor(surroundings, ['database'])
    return refusal ? problemResponse(context, refusal) : { body: healthReport(surroundings) }
  },
})
