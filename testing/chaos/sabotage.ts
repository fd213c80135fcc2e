import { NOTIFIED_BY_ANOTHER } from '../../shared/domain/notifications/new-notification.ts'
import type { Sql } from '../../shared/db/connect.ts'
import type { Violation } from '../faults/oracle.ts'
import type { Person } from './client.ts'
import { judge, type Evidence } from './judge.ts'

/** A loss or a double that is made by hand, and the promise that the oracle must find broken. */
interface Sabotage {
  flaw: string
  rule: string
  spoil?(sql: Sql, userId: string): Promise<unknown>
  evidence?(evidence: Evidence, userId: string): Evidence
}

const LAST_GENERATED = (sql: Sql, userId: string) => sql`
  select (data -> 'task' ->> 'series_id')::uuid from events
  where user_id = ${userId} and type = 'task.occurrence.generated' order by seq desc limit 1`

const LAST_IN_APP = (sql: Sql, userId: string) => sql`
  select id from deliveries where user_id = ${userId} and channel = 'in_app' and state = 'delivered' and reminder_id is not null
  order by id desc limit 1`

const SABOTAGES: readonly Sabotage[] = [
  {
    flaw: 'an occurrence is lost',
    rule: 'occurrences are what their events say',
    spoil: (sql, userId) => sql`
      delete from occurrences where series_id = (${LAST_GENERATED(sql, userId)}) and state in ('open', 'completed')`,
  },
  {
    flaw: 'an occurrence is there twice',
    rule: 'occurrences are what their events say',
    spoil: (sql, userId) => sql`
      insert into occurrences (series_id, occurrence_at, user_id, state, task_id, closed_at)
      select series_id, occurrence_at + interval '1 hour', user_id, 'open', task_id, null from occurrences
      where series_id = (${LAST_GENERATED(sql, userId)}) limit 1`,
  },
  {
    flaw: 'the last acknowledged write is lost',
    rule: 'sequence without a gap',
    spoil: (sql, userId) => sql`
      delete from events e where user_id = ${userId} and seq = (select max(seq) - 1 from events where user_id = e.user_id)`,
  },
  {
    flaw: 'a write is applied twice',
    rule: 'an accepted write happens once',
    spoil: (sql, userId) => sql`
      insert into events (user_id, seq, id, type, dataversion, source, subject, time, data, traceparent)
      select user_id, (select max(seq) + 1 from events where user_id = e.user_id), gen_random_uuid(), type, dataversion, source,
        subject, time, data, traceparent
      from events e where user_id = ${userId} and type = 'task.created' order by seq desc limit 1`,
  },
  {
    flaw: 'a successor is made without its mark',
    rule: 'an event has its effect once',
    spoil: (sql, userId) => sql`
      delete from processed_events using events e where e.id = event_id and e.user_id = ${userId}`,
  },
  {
    flaw: 'a message is lost',
    rule: 'every event reaches every consumer',
    evidence: (evidence, userId) => ({
      ...evidence,
      deliveries: (topic) => {
        const all = evidence.deliveries(topic)
        const lost = all.findLast((delivery) => delivery.userId === userId)
        return all.filter(({ id }) => id !== lost?.id)
      },
    }),
  },
  {
    flaw: 'messages of a user overtake each other',
    rule: 'events of a user come in order',
    evidence: (evidence) => ({
      ...evidence,
      isOrdered: true,
      deliveries: (topic) => evidence.deliveries(topic).toReversed(),
    }),
  },
  {
    flaw: 'a reminder is missed',
    rule: 'no reminder is missed',
    spoil: (sql, userId) => sql`
      delete from events where id = (select id from events t where user_id = ${userId} and type = 'reminder.triggered'
        and not exists (select from events l where l.user_id = t.user_id and l.subject = t.subject and l.seq > t.seq
          and l.data ? 'reminder') order by seq desc limit 1)`,
  },
  {
    flaw: 'a reminder fires twice',
    rule: 'a reminder fires once, at its time',
    spoil: (sql, userId) => sql`
      insert into events (user_id, seq, id, type, dataversion, source, subject, time, data, traceparent)
      select user_id, (select max(seq) + 1 from events where user_id = e.user_id), gen_random_uuid(), type, dataversion, source,
        subject, time, data, traceparent
      from events e where user_id = ${userId} and type = 'reminder.triggered' order by seq desc limit 1`,
  },
  {
    flaw: 'a channel is left out',
    rule: 'one line of the ledger per firing and channel',
    spoil: (sql, userId) => sql`
      delete from deliveries where id = (${LAST_IN_APP(sql, userId)})`,
  },
  {
    flaw: 'a channel is silent for no reason',
    rule: 'what is silent was told by another',
    spoil: (sql, userId) => sql`
      update deliveries set state = 'cancelled', reason = ${NOTIFIED_BY_ANOTHER} where id = (${LAST_IN_APP(sql, userId)})`,
  },
  {
    flaw: 'a mail is lost',
    rule: 'every mail arrives',
    evidence: (evidence) => ({ ...evidence, arrived: { ...evidence.arrived, mails: [] } }),
  },
  {
    flaw: 'a webhook comes twice, with two ids',
    rule: 'outside, a repetition has the same id',
    evidence: (evidence) => ({
      ...evidence,
      arrived: {
        ...evidence.arrived,
        hooks: evidence.arrived.hooks.flatMap((hook) => [hook, { ...hook, id: `${hook.id} again` }]),
      },
    }),
  },
]

/** Breaks the result of a run in ways that are known, one after the other and undone again. Resolves to what went unnoticed. */
export async function blindSpots(sql: Sql, person: Person, evidence: Evidence): Promise<string[]> {
  const unnoticed: string[] = []
  for (const { flaw, rule, spoil, evidence: alter } of SABOTAGES) {
    const found: Violation[] = []
    const connection = await sql.reserve()
    try {
      await connection`begin`
      await spoil?.(connection, person.id)
      const spoilt = alter?.(evidence, person.id) ?? evidence
      await judge(connection, person, spoilt, (broken, detail) => found.push({ rule: broken, detail }))
    } finally {
      await connection`rollback`
      connection.release()
    }
    if (!found.some((violation) => violation.rule === rule)) unnoticed.push(`${flaw} (${rule})`)
  }
  return unnoticed
}
