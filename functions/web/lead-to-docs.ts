import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /',
  summary: 'Redirects a browser to the API reference',
  auth: 'none',
  uses: [],
  handle: async () =>
    await Promise.resolve(new Response(null, { status: 302, headers: { location: '/docs' } })),
})
