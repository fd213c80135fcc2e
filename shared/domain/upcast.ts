import { definitionOf, type EventType } from './events.ts'

/** `data` of an event, of whatever version. */
type Data = Record<string, unknown>
type Raise = (data: Data, of: Of) => Data

interface Of {
  time: Date
  userId: string
}

/**
 * The data of an event in the present version of its type: the log keeps events as they were written, and whoever reads or
 * gets them sees one shape. Null where no way leads there, as from a version that a later Daybook has written.
 */
export function upcast(
  event: Of & { type: string; dataversion: string; data: unknown },
): { dataversion: string; data: unknown } | null {
  const definition = definitionOf(event.type)
  const [major, minor] = numbersOf(event.dataversion)
  const [present, presentMinor] = numbersOf(definition?.version ?? '')
  if (!definition || !Number.isInteger(major) || !Number.isInteger(minor) || major > present) return null
  if (major === present && minor >= presentMinor) return event
  let { data } = event
  for (let from = major; from < present; from += 1) {
    const raise = RAISES[definition.type as EventType]?.[from]
    if (!raise) return null
    // What is no object is refused with its schema.
    if (typeof data === 'object' && data !== null) data = raise(data as Data, event)
  }
  return { dataversion: definition.version, data }
}

const numbersOf = (version: string): [number, number] => {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(version) ?? []
  return [Number(major), Number(minor)]
}

/** By type, what makes `data` of a first number that of the next. What an event did not say becomes null. */
const RAISES: Partial<Record<EventType, Readonly<Record<number, Raise>>>> = {
  'task.occurrence.generated': {
    1: ({ made_by: maker, ...data }) => {
      const made_by = maker === 'sweep' ? 'cron/sweep-series' : 'consumer/create-next-occurrence'
      return { ...data, actor: { ...part(data, 'actor'), made_by } }
    },
  },
  'series.updated': { 1: withSeries },
  'series.ended': { 1: withSeries },
  'recurring.task.error': { 1: (data) => ({ ...data, series: null }) },
  'reminder.scheduled': { 1: withReminder },
  'reminder.rescheduled': { 1: withReminder },
  'reminder.cancelled': { 1: withReminder },
  'reminder.snoozed': { 1: withReminder },
  'reminder.acknowledged': { 1: withReminder },
  'reminder.triggered': {
    1: ({ priority, ...data }, of) => {
      const said = { task_title: part(data, 'notification')['title'], task_priority: priority }
      return { ...withReminder(withNotification(data), of), ...said }
    },
  },
  'reminder.sent': { 1: (data) => ({ ...data, task_title: null }) },
  'reminder.failed': { 1: (data) => ({ ...data, task_title: null }) },
  'notification.requested': { 1: (data) => (data['notification'] ? withNotification(data) : data) },
  'notification.sent': { 1: withNotification },
  'notification.failed': { 1: withNotification },
  'auth.user.registered': { 1: withClient },
  'auth.email.confirmed': { 1: withClient },
  'auth.login.succeeded': { 1: withClient },
  'auth.login.failed': { 1: withClient },
  'auth.logout': { 1: withClient },
  'auth.token.created': { 1: withClient },
  'auth.token.revoked': { 1: withClient },
}

const part = (data: Data, name: string): Data => (data[name] ?? {}) as Data

function withSeries(data: Data, { time }: Of): Data {
  const unsaid = {
    description: null,
    parent_id: null,
    is_floating: false,
    created_at: null,
    updated_at: time.toISOString(),
  }
  return { ...data, series: { ...unsaid, ...part(data, 'series') } }
}

const UNSAID_OF_REMINDER = {
  origin: null,
  time_zone: null,
  fired_at: null,
  cancelled_at: null,
  deleted_at: null,
}

function withReminder(data: Data, { userId }: Of): Data {
  const reminder: Data = { user_id: userId, ...UNSAID_OF_REMINDER, ...part(data, 'reminder') }
  return { task_title: null, ...data, reminder, scheduled_for: reminder['next_fire_at'] }
}

function withNotification(data: Data): Data {
  return { ...data, notification: { source: null, ...part(data, 'notification') } }
}

function withClient({ client_address, user_agent, ...data }: Data): Data {
  const client = {
    ...(client_address !== null && { client_ip: client_address }),
    ...(user_agent !== null && { user_agent }),
  }
  return { ...data, actor: { ...part(data, 'actor'), ...client } }
}
