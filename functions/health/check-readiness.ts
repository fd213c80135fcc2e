import { z } from 'zod'
import type { Deps } from '../../shared/app/ports.ts'
import { askSurroundings, refusalFor } from '../../shared/app/surroundings.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { problemResponse } from '../../shared/kit/problem.ts'

// A process that takes requests before its sidecar is up loses the first calls. Once the sidecar has been there it
// counts no longer: tasks go on without it, and taking the process out of service would stop them.
const hadSidecar = new WeakSet<Deps['sidecar']>()

export default httpFunction({
  route: 'GET /readyz',
  summary:
    'Whether the process can take requests: 503 until the sidecar has answered once, and while the database does not',
  auth: 'none',
  refuses: ['service.unavailable'],
  output: z.object({ status: z.literal('ready') }),
  handle: async ({ deps, context }) => {
    const surroundings = await askSurroundings(deps)
    if (surroundings.sidecar) hadSidecar.add(deps.sidecar)
    const refusal = refusalFor(
      surroundings,
      hadSidecar.has(deps.sidecar) ? ['database'] : ['database', 'sidecar'],
    )
    return refusal ? problemResponse(context, refusal) : { body: { status: 'ready' } }
  },
})
