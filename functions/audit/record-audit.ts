import { recordAudit } from '../../shared/app/audit/record-audit.ts'
import { AuditCheckpointSigned, CATALOGUE } from '../../shared/domain/events.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

/** Others of the batch wait for a user's backlog. */
const MAX_ROUNDS = 4

// Topics overtake each other, the log does not: whatever event comes, all that has no entry yet is recorded in its order.
export default topicFunction({
  on: CATALOGUE.filter((definition) => definition !== AuditCheckpointSigned),
  uses: ['audit'],
  onlyCommits: true,
  handle: ({ event, deps }) => recordAudit(deps, event.userid, MAX_ROUNDS),
})
