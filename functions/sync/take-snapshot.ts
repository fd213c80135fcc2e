import { Snapshot, takeSnapshot } from '../../shared/app/sync/take-snapshot.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/snapshot',
  summary: 'All tasks, series, reminders, preferences and tags at one moment, with the cursor of that moment',
  auth: 'changes:read',
  uses: ['snapshots'],
  output: Snapshot,
  download: { name: 'daybook-snapshot', extensions: ['json'] },
  refuses: ['rate_limit.exceeded'],
  handle: ({ actor, deps }) => takeSnapshot(deps, actor.userId),
})
