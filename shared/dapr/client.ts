import { createInvokeBinding } from './bindings.ts'
import { createConverse } from './conversation.ts'
import { createHealth } from './health.ts'
import { createInvoke } from './invoke.ts'
import { createJobs } from './jobs.ts'
import { createPublish } from './publish.ts'
import { createSecrets } from './secrets.ts'
import { createState } from './state.ts'
import { createTransport, type DaprOptions } from './transport.ts'

/** Daybook's door to Dapr. Every function throws DaprError and nothing else for what happens beyond this process. */
export function createDaprClient(options: DaprOptions) {
  const transport = createTransport(options)
  return {
    ...createPublish(transport),
    state: createState(transport),
    jobs: createJobs(transport),
    ...createInvoke(transport),
    secrets: createSecrets(transport),
    invokeBinding: createInvokeBinding(transport),
    converse: createConverse(transport),
    health: createHealth(transport),
  }
}

export type DaprClient = ReturnType<typeof createDaprClient>
