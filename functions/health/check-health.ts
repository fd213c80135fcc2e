import { askSurroundings, HealthReport, healthReport, refusalFor } from '../../shared/app/surroundings.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { problemResponse } from '../../shared/kit/problem.ts'

// Without the sidecar tasks still work, so this says degraded where /readyz refuses.
export default httpFunction({
  route: 'GET /healthz',
  summary: 'Health for load balancers: 503 when the database does not answer',
  auth: 'none',
  refuses: ['service.unavailable'],
  output: HealthReport,
  handle: async ({ deps, context }) => {
    const surroundings = await askSurroundings(deps)
    const refusal = refusalFor(surroundings, ['database'])
    return refusal ? problemResponse(context, refusal) : { body: healthReport(surroundings) }
  },
})
