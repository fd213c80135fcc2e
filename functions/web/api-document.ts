import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /openapi.json',
  summary: 'The OpenAPI 3.1 document of this API',
  auth: 'none',
  uses: [],
  cache: 'public, max-age=300',
  handle: async () => {
    const { default: document } = await import('../../docs/openapi.json', { with: { type: 'json' } })
    return { body: document }
  },
})
