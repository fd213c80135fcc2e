// Generated from the functions by `npm run render`; not to be edited.

/** The services of this Daybook, for GET /api/health/status. */
export const FEATURES = {
  audit: { dueRows: [], waitsForEvents: true, sendsOut: false },
  auth: { dueRows: [], waitsForEvents: false, sendsOut: false },
  mcp: { dueRows: [], waitsForEvents: false, sendsOut: false },
  notifications: { dueRows: ['deliveries'], waitsForEvents: false, sendsOut: true },
  outbox: { dueRows: ['outbox'], waitsForEvents: true, sendsOut: false },
  recurrence: { dueRows: ['waitingSeries'], waitsForEvents: true, sendsOut: false },
  reminders: { dueRows: ['dueReminders'], waitsForEvents: false, sendsOut: false },
  suggestions: { dueRows: [], waitsForEvents: false, sendsOut: false },
  sync: { dueRows: [], waitsForEvents: false, sendsOut: false },
  tasks: { dueRows: [], waitsForEvents: false, sendsOut: false },
  web: { dueRows: [], waitsForEvents: false, sendsOut: false },
} as const
