import { runCommands } from '../../shared/app/sync/run-commands.ts'
import { SyncRequest, SyncResult } from '../../shared/domain/sync/commands.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { parsePart } from '../../shared/kit/request.ts'

// Here and not at the edge: it writes tasks, and lasts no longer than other requests.
export default httpFunction({
  route: 'POST /api/sync',
  summary:
    'Run up to 500 commands of a client that was offline, in order, each once however often it is sent',
  auth: 'tasks:write',
  noTool: 'what a device has kept while it was offline; each of its commands is a tool',
  uses: ['tasks', 'events'],
  weight: 5,
  refuses: ['request.conflict', 'idempotency.in_flight'],
  body: SyncRequest,
  output: SyncResult,
  handle: ({ body, write, deps }) => runCommands(deps, write, body, parsePart),
})
