import type { Sql } from '../../shared/db/connect.ts'
import type { NotificationView } from '../../shared/domain/notifications/notification.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { checkUser, type Fault } from '../faults/oracle.ts'
import type { EventRow, Replay } from '../faults/series-model.ts'
import { ask, type Person } from './client.ts'
import { checkInApp, judgeReminders, type Arrived, type ToldFiring } from './judge-reminders.ts'
import { OBSERVED, type Delivery } from './observer.ts'
import { goesTo } from './quiet.ts'
import type { Heard } from './receivers.ts'

export interface Evidence {
  deliveries: (topic: string) => readonly Delivery[]
  /** Whether the broker promises the order of a user. Redis Streams do not. */
  isOrdered: boolean
  /** Events that the broker rightly has not delivered yet, by topic. */
  inHand: ReadonlyMap<string, ReadonlySet<string>>
  arrived: Arrived
}

const BY_EVENT = 'consumer/create-next-occurrence'

export interface Judged {
  events: EventRow[]
  replay: Replay
  firings: ToldFiring[]
}

/** Judges one person by tables, by what clients were told and by what a consumer was delivered. */
export async function judge(
  sql: Sql,
  person: Person,
  { deliveries, isOrdered, inHand, arrived }: Evidence,
  fault: Fault,
): Promise<Judged> {
  const { events, replay } = await checkUser(sql, { userId: person.id, reports: aboutTasks(person) }, fault)
  for (const { command, status, outcome } of person.reports) {
    const what = `${command.name} ${command.path}: ${status}`
    if (status === 0) fault('every request gets an answer', what)
    if (outcome === 'refused' && [401, 403, 429].includes(status)) fault('nobody is turned away', what)
  }
  for (const answer of person.hollow) fault('an answer is whole', answer)
  for (const topic of OBSERVED) {
    const expected = events.filter((event) => goesTo(topic, event))
    const seen = deliveries(topic).filter(({ userId }) => userId === person.id)
    checkDelivered({ topic, expected, seen, isOrdered, held: inHand.get(topic) }, fault)
  }
  await checkMarks(sql, person, events, fault)
  const firings = await judgeReminders(sql, person, { events, arrived }, fault)
  return { events, replay, firings }
}

/** Answers to the others are reminders. */
const aboutTasks = ({ reports }: Person) =>
  reports.filter(({ command }) => !command.path.includes('/reminders'))

interface Delivered {
  topic: string
  expected: readonly EventRow[]
  seen: readonly Delivery[]
  isOrdered: boolean
  held: ReadonlySet<string> | undefined
}

/** Each event reached the consumer, none that was not written, and none before all of the user's earlier ones. */
function checkDelivered({ topic, expected, seen, isOrdered, held }: Delivered, fault: Fault): void {
  const firsts = [...new Map(seen.map((delivery) => [delivery.id, delivery])).values()]
  const known = new Map(expected.map(({ id, seq }) => [id, seq]))
  const reached = new Set(firsts.map(({ id }) => id))
  const missing = expected.filter(({ id }) => !reached.has(id) && !held?.has(id))
  if (missing.length > 0)
    fault('every event reaches every consumer', `${topic} lacks ${missing.map(({ seq }) => seq).join()}`)
  const strange = firsts.filter(({ id, sequence }) => known.get(id) !== sequence)
  if (strange.length > 0)
    fault('what is delivered was written', `${topic}: ${strange.map(({ sequence }) => sequence).join()}`)
  const early = firsts.filter(({ sequence }, nth) => nth > 0 && sequence < firsts[nth - 1]!.sequence)
  if (isOrdered && early.length > 0)
    fault(
      'events of a user come in order',
      `${topic}: late are ${early.map(({ sequence }) => sequence).join()}`,
    )
}

/** The effect of an event and its dedupe mark are one commit: each mark has its effect, each effect a mark of its own. */
async function checkMarks(
  sql: Sql,
  { id: userId }: Person,
  events: readonly EventRow[],
  fault: Fault,
): Promise<void> {
  const marks = await sql<{ event_id: string }[]>`
    select p.event_id from processed_events p join events e on e.id = p.event_id
    where e.user_id = ${userId} and p.consumer = 'create-next-occurrence'`
  const marked = new Set(marks.map((mark) => mark.event_id))
  const count = (trace: string, of: (event: EventRow) => boolean) => byTrace.get(trace)!.filter(of).length
  const byTrace = Map.groupBy(events, ({ traceparent }) => traceparent?.split('-')[1] ?? '')
  for (const trace of byTrace.keys()) {
    const done = count(trace, ({ id }) => marked.has(id))
    const made = count(
      trace,
      ({ type, data }) => type === 'task.occurrence.generated' && data.actor.made_by === BY_EVENT,
    )
    // One that ends its series leaves no word of who did it.
    const ended = count(trace, ({ type, data }) => type === 'series.ended' && data.actor.type === 'system')
    if (made > done || done > made + ended)
      fault('an event has its effect once', `trace ${trace}: ${done} marks, ${made} occurrences`)
  }
}

/**
 * What Daybook shows a person over HTTP is what its events say: every task, every change in sequence, every
 * notification. */
export async function checkShown(
  url: string,
  person: Person,
  { events, replay, firings, heard }: Judged & { heard: readonly Heard[] },
  fault: Fault,
): Promise<void> {
  const line = ({ id, version, title, is_completed }: TaskView) =>
    [id, version, title, is_completed].join(' ')
  const told = [...replay.tasks.values()].filter((task) => task.deleted_at === null).map(line)
  const shown = (await pages<TaskView>(url, person, '/api/tasks?limit=100', 'cursor')).map(line)
  if (told.toSorted().join('\n') !== shown.toSorted().join('\n'))
    fault('what is shown is what was done', `${shown.length} tasks shown, ${told.length} told by events`)
  const feed = await pages<{ id: string }>(url, person, '/api/changes?limit=500', 'since')
  if (feed.map(({ id }) => id).join() !== events.map(({ id }) => id).join())
    fault('the feed tells every change in sequence', `${feed.length} of ${events.length} events`)
  const listed = await pages<NotificationView>(url, person, '/api/notifications?limit=100', 'cursor')
  checkInApp(firings, { listed, heard }, fault)
}

interface Page<T> {
  items: T[]
  has_more?: boolean
  next_cursor?: string | null
  next_since?: string
}

/** All items of a list, page by page; `parameter` says where to go on. */
async function pages<T>(
  url: string,
  person: Person,
  path: string,
  parameter: 'cursor' | 'since',
): Promise<T[]> {
  const items: T[] = []
  for (let next: string | null | undefined = ''; typeof next === 'string';) {
    const place = next === '' ? '' : `&${parameter}=${encodeURIComponent(next)}`
    const { text } = await ask(url, person, { method: 'GET', path: path + place })
    const page = JSON.parse(text) as Page<T>
    items.push(...page.items)
    next = page.has_more === false ? null : (page.next_since ?? page.next_cursor)
  }
  return items
}
