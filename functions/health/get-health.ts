import {
  probeDependencies,
  HealthReport,
  healthReport,
  refusalFor,
} from '../../shared/app/health/probe-dependencies.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Without the sidecar tasks still work, so this says degraded where /readyz refuses.
export default httpFunction({
  route: 'GET /api/health',
  // Where load balancers look for it.
  also: ['/healthz'],
  summary: 'Overall health: 503 when the database does not answer',
  auth: 'none',
  uses: ['health'],
  refuses: ['service.unavailable'],
  output: HealthReport,
  handle: async ({ deps }) => {
    const states = await probeDependencies(deps)
    const refusal = refusalFor(states, ['database'])
    return refusal ?? { body: healthReport(states) }
  },
})
