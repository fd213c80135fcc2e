import { FeatureReport, reportFeatures } from '../../shared/app/feature-status.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/health/status',
  summary: 'What works just now, feature by feature, and since when',
  auth: 'none',
  output: FeatureReport,
  handle: async ({ deps }) => ({ body: await reportFeatures(deps) }),
})
