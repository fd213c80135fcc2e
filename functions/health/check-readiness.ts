import { z } from 'zod'
import { askSurroundings, refusalFor } from '../../shared/app/surroundings.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { problemResponse } from '../../shared/kit/problem.ts'

// The sidecar's outbound health counts: a process that takes requests before its sidecar is up loses the first calls.
export default httpFunction({
  route: 'GET /readyz',
  summary: 'Whether the process can take requests: 503 unless database and sidecar answer',
  auth: 'none',
  refuses: ['service.unavailable'],
  output: z.object({ status: z.literal('ready') }),
  handle: async ({ deps, context }) => {
    const refusal = refusalFor(await askSurroundings(deps), ['database', 'sidecar'])
    return refusal ? problemResponse(context, refusal) : { body: { status: 'ready' } }
  },
})
