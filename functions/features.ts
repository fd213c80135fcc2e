// Generated from the functions by `npm run render`; not to be edited.

/** The services of this Daybook, for GET /api/health/status. */
export const FEATURES = {
  auth: { dueRows: [], waitsForEvents: false, continuesSeries: false, sendsOut: false },
  notifications: { dueRows: ['deliveries'], waitsForEvents: false, continuesSeries: false, sendsOut: true },
  outbox: { dueRows: ['outbox'], waitsForEvents: true, continuesSeries: false, sendsOut: false },
  recurrence: { dueRows: [], waitsForEvents: true, continuesSeries: true, sendsOut: false },
  reminders: { dueRows: ['dueReminders'], waitsForEvents: false, continuesSeries: false, sendsOut: false },
  sync: { dueRows: [], waitsForEvents: false, continuesSeries: false, sendsOut: false },
  tasks: { dueRows: [], waitsForEvents: false, continuesSeries: false, sendsOut: false },
  web: { dueRows: [], waitsForEvents: false, continuesSeries: false, sendsOut: false },
} as const
