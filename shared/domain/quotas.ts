import { DomainError, invalidField } from './errors.ts'
import type { Task } from './tasks/task.ts'

/** How much of one user is kept (shared/config.ts). A request that would make it more is refused. */
export interface Quotas {
  /** Deleted ones included, until they are purged. */
  tasks: number
  /** Of one task: what its user has written, in UTF-8. */
  taskBytes: number
  openReminders: number
  remindersPerMinute: number
  /** Of requests with an Idempotency-Key. */
  answers: number
  answerBytes: number
  /** A household has more devices than a person, and each message goes to every one. */
  pushSubscriptions: number
  /** Beyond so many, those used the longest time ago end; the new one is not refused. */
  sessions: number
  /** Beyond so many the oldest are purged. */
  notifications: number
}

const LIMITED = ['tasks', 'open_reminders', 'reminders_per_minute', 'answers', 'answer_bytes'] as const
export type Limited = (typeof LIMITED)[number]
export type Limits = Partial<Record<Limited, number>>

/**
 * Whoever has as many tasks as are kept can still complete occurrences, each of which leads to another, until there are
 * so many more.
 */
const HEADROOM = 0.1

/** What of a change is limited; how much there is by then, the database knows. */
export function limitsOf(
  quotas: Quotas,
  change: { makesTasks: boolean; isFollowed: boolean; setsReminders: boolean; keepsAnswer: boolean },
): Limits {
  const tasks = change.makesTasks ? quotas.tasks : Math.floor(quotas.tasks * (1 + HEADROOM))
  return {
    ...((change.makesTasks || change.isFollowed) && { tasks }),
    ...(change.setsReminders && {
      open_reminders: quotas.openReminders,
      reminders_per_minute: quotas.remindersPerMinute,
    }),
    ...(change.keepsAnswer && { answers: quotas.answers, answer_bytes: quotas.answerBytes }),
  }
}

// Made when it is needed: to load what is known of a language takes longer than all else that this process does to start.
const number = (count: number): string => new Intl.NumberFormat('en').format(count)

const MESSAGES: Record<Limited, (most: string) => string> = {
  tasks: (most) => `The limit of tasks (${most}) is reached; deleted tasks count for 30 days.`,
  open_reminders: (most) => `The limit of pending reminders (${most}) is reached.`,
  reminders_per_minute: (most) => `The limit of reminders in this minute (${most}) is reached.`,
  answers: (most) => `The limit of answers stored by Idempotency-Key in a day (${most}) is reached.`,
  answer_bytes: (most) =>
    `The limit of bytes of answers stored by Idempotency-Key in a day (${most}) is reached.`,
}

export const quotaExceeded = (limited: Limited, limits: Limits): DomainError =>
  new DomainError('quota.exceeded', MESSAGES[limited](number(limits[limited] ?? 0)))

/** Refuses a task that has become too large; one that was before may stay as it is. */
export function checkBytes(before: Task | null, after: Task, quotas: Pick<Quotas, 'taskBytes'>): void {
  const bytes = bytesOf(after)
  if (bytes <= quotas.taskBytes || (before !== null && bytes <= bytesOf(before))) return
  throw invalidField(
    'description',
    `title, description, tags and rule have ${number(bytes)} bytes together; at most ${number(quotas.taskBytes)} are allowed`,
  )
}

const bytesOf = ({ title, description, tags, recurrenceRule }: Task): number =>
  [title, description ?? '', recurrenceRule ?? '', ...tags].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  )
