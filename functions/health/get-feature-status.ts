import { featureReport, reportFeatures } from '../../shared/app/health/feature-status.ts'
import { FEATURES } from '../features.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/health/status',
  summary: 'Status of each feature, and since when',
  auth: 'none',
  uses: ['health'],
  output: featureReport(Object.keys(FEATURES)),
  handle: async ({ deps }) => ({ body: await reportFeatures(deps, FEATURES) }),
})
