import type { Audience } from '../../domain/notifications/notification-preferences.ts'
import type { Delivery } from '../../domain/notifications/notification.ts'
import type { Reminder, ReminderStatus } from '../../domain/reminders/reminder.ts'
import type { Task } from '../../domain/tasks/task.ts'
import type { Claim, StoredAnswer } from '../ports.ts'

export interface LoadedReminder {
  /** Null when the user has removed it, or it is not theirs. */
  reminder: Reminder | null
  /** Null when it has been purged. */
  task: Task | null
  /** Those of its last firing. */
  deliveries: Delivery[]
  stored: StoredAnswer | null
}

/** A reminder that is due, with all that the decision about it depends on. */
export interface DueReminder {
  reminder: Reminder
  /** Null when it has been purged. */
  task: Task | null
  audience: Audience
  /** Whether a firing at this `fireAt` is in the ledger: it cannot take place again. */
  hasFired: boolean
  /** Where other reminders of the task have notified for this `fireAt`. */
  alreadyNotified: readonly Pick<Delivery, 'channel' | 'target'>[]
}

/** Reminders by their next firing or else their time, those without either last, then by id. */
interface ReminderFilter {
  status: ReminderStatus | null
  from: Date | null
  to: Date | null
  /** Where the page before has ended. */
  after: { at: Date | null; id: string } | null
  limit: number
}

export interface ReminderReader {
  /** One the user has not removed, with its deliveries (oldest first), whom it reaches and whether a worker has claimed it. */
  get(
    userId: string,
    reminderId: string,
    now: Date,
  ): Promise<{ reminder: Reminder; deliveries: Delivery[]; audience: Audience; isClaimed: boolean } | null>
  /** Those of a task, the earliest first, each with the deliveries of its last firing. */
  list(userId: string, taskId: string): Promise<{ reminder: Reminder; deliveries: Delivery[] }[]>
  /** Those of all tasks in the order of {@link ReminderFilter}, each with the deliveries of its last firing. */
  listAll(
    userId: string,
    filter: ReminderFilter,
  ): Promise<{ reminder: Reminder; deliveries: Delivery[]; taskTitle: string }[]>
}

export interface ReminderQueue {
  /**
   * Reminders whose time has come and that nobody has claimed (SKIP LOCKED): the earliest of every user first, then the
   * second of every user, and so on. Not all that are due, even below the limit, where one user has many.
   */
  claimDue(claim: Claim): Promise<DueReminder[]>
  /** The same for one of them: none when it is not due, or claimed by somebody else. */
  claimOne(reminderId: string, claim: Claim): Promise<DueReminder[]>
  /** The earliest time at which a sweep finds something; what is claimed counts from the end of its lease. */
  nextDueAt(): Promise<Date | null>
  /** The next firing of one of them; null when there is none to come, or no such reminder. */
  fireAtOf(reminderId: string): Promise<Date | null>
}

/** Jobs of the sidecar's scheduler: a hint when to look, never the truth. */
export interface Alarms {
  /** Calls back at this time, in place of an earlier one of the same reminder. */
  set(reminderId: string, at: Date): Promise<void>
  cancel(reminderId: string): Promise<void>
}
