import { z } from 'zod'
import { pollChanges } from '../../shared/app/sync/poll-changes.ts'
import type { ChangePage } from '../../shared/app/sync/read-changes.ts'
import { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { BEGINNING, CursorText } from '../../shared/domain/sync/cursor.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

/** Proxies give up on an answer that has not begun after a minute, some after half of it. */
const MAX_WAIT_SECONDS = 25

export default httpFunction({
  route: 'GET /api/changes',
  summary: "The user's events after a cursor, in order and without a gap",
  auth: 'changes:read',
  tool: {
    description:
      'What happened in the account since a cursor, oldest first, by whom. Continue with next_since; 0 begins at the oldest.',
    defaults: { limit: 20 },
  },
  uses: ['events', 'streams'],
  weight: 2,
  refuses: ['changes.cursor_gone'],
  query: z.strictObject({
    since: CursorText.optional().describe(
      'The `next_since` of an answer, or the cursor of a snapshot; without it from the first event there was, which is a 410 where that is not kept any more: begin with a snapshot',
    ),
    limit: z.int().min(1).max(1000).default(100),
    wait: z
      .int()
      .min(0)
      .max(MAX_WAIT_SECONDS)
      .default(0)
      .describe('Where there is nothing yet, wait for it so many seconds (long poll)'),
  }),
  output: z
    .object({
      items: z.array(CloudEvent),
      next_since: z.string().describe('Pass it as `since` to continue'),
      has_more: z.boolean().describe('A page ends after `limit` events, or after about 1 MB'),
    })
    .meta({ id: 'Changes' }),
  handle: ({ query: { since = BEGINNING, limit, wait }, actor, signal, deps }) =>
    pollChanges(deps, actor, { since, limit, waitMs: wait * 1000, signal }, view),
})

const view = ({ changes, cursor, hasMore }: ChangePage) => ({
  items: changes.map(({ event }) => event),
  next_since: cursor,
  has_more: hasMore,
})
