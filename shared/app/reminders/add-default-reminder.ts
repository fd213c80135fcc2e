import type { MadeBy, TraceContext } from '../../domain/actor.ts'
import { decideDefaultReminder, type GivenDueTime } from '../../domain/reminders/default-reminder.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import type { Change, CommitResult, Deps } from '../ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

const ATTEMPTS = 5

interface Request {
  userId: string
  taskId: string
  given: GivenDueTime
  trace: TraceContext
  madeBy: MadeBy
  /** With the consumer's dedupe mark. */
  commit: (change: Change) => Promise<CommitResult>
}

/** Gives a task its default reminder, if it is to have one and has had none; asking again changes nothing. */
export async function addDefaultReminder(
  deps: Pick<Deps, 'changes' | 'clock' | 'ids' | 'publishing'>,
  { userId, taskId, given, trace, madeBy, commit }: Request,
): Promise<void> {
  const { changes, ids, publishing } = deps
  const minutes = await changes.defaultReminderMinutes(userId)
  if (minutes === null) return
  const now = deps.clock.now()
  const result = await retryOnConflict(ATTEMPTS, async () => {
    const { task, reminders } = await changes.loadTask(userId, taskId, null, now)
    const context = { minutes, now, newId: () => ids.uuid() }
    const decision = task && decideDefaultReminder({ task, reminders }, given, context)
    if (!decision) return 'nothing'
    const { outcome } = await commit(
      toChange(deps, systemOrigin('reminders', { userId, now, trace, madeBy }), decision),
    )
    if (outcome === 'applied') publishing.wake()
    return outcome
  })
  if (result === 'conflict') throw new Error('the task kept changing; the message will be delivered again')
}
