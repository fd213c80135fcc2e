import { FULL_SCOPE } from './auth/identity.ts'

/** What a token may be allowed to do, with what people are told of it. A session of the owner may do all of it. */
export const SCOPES = {
  'account:read': 'Read the account and what belongs to no other scope',
  'account:export': 'Read everything, of all scopes, in one export',
  'account:write': 'Change the account and what belongs to no other scope',
  'tasks:read': 'Read tasks, their tags and their occurrences',
  'tasks:write': 'Create, change, complete and delete tasks',
  'reminders:read': 'Read reminders and what became of them',
  'reminders:write': 'Add, change, snooze and remove reminders',
  'notifications:read': 'Read notifications, preferences and push subscriptions',
  'notifications:write': 'Mark notifications as read, change preferences and push subscriptions',
  'audit:read': 'Read the audit trail and the activity: all that was done, by whom and from where',
  'changes:read': 'Read the log of changes, with all that they wrote; with account:read also from where',
} as const

export type Scope = keyof typeof SCOPES

export const isAllowed = (held: readonly string[], wanted: Scope): boolean =>
  held.includes(FULL_SCOPE) || held.includes(wanted)
