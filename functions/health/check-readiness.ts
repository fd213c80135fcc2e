import { z } from 'zod'
import type { Deps } from '../../shared/app/ports.ts'
import { probeDependencies, refusalFor } from '../../shared/app/health/probe-dependencies.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// A process that takes requests before its sidecar is up loses the first calls. Once the sidecar has been there it
// counts no longer: tasks go on without it, and taking the process out of service would stop them.
const hadSidecar = new WeakSet<Deps['sidecar']>()

export default httpFunction({
  route: 'GET /readyz',
  summary:
    'Whether the process is ready: 503 until the sidecar has answered once, and while the database does not',
  auth: 'none',
  uses: ['health'],
  refuses: ['service.unavailable'],
  output: z.object({ status: z.literal('ready') }),
  handle: async ({ deps }) => {
    const states = await probeDependencies(deps)
    if (states.sidecar) hadSidecar.add(deps.sidecar)
    const refusal = refusalFor(states, hadSidecar.has(deps.sidecar) ? ['database'] : ['database', 'sidecar'])
    return refusal ?? { body: { status: 'ready' } }
  },
})
