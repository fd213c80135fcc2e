import { z } from 'zod'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Asks nobody: a process that answers is alive, and restarting it would not bring the database or the sidecar back.
export default httpFunction({
  route: 'GET /livez',
  summary: 'Whether the process is alive',
  auth: 'none',
  uses: [],
  output: z.object({ status: z.literal('alive') }),
  handle: async () => ({ body: { status: 'alive' } }),
})
