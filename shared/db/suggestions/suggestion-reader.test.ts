import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabaseTarget } from '../../../testing/worlds/database.ts'
import { connect, type SocketTarget, type Sql } from '../connect.ts'
import { createSuggestionReader } from './suggestion-reader.ts'

const USER = '00000000-0000-4000-8000-000000000001'
const notices: string[] = []
let sql: Sql

beforeAll(async () => {
  const target = await testDatabaseTarget()
  const filling = connect(target, { max: 1, applicationName: 'test' })
  await filling`set synchronous_commit = on`
  await fill(filling)
  await filling`vacuum analyze tasks, events`
  await filling.end()
  sql = explaining(target)
})

afterAll(() => sql.end())

/** 1,250 open and 17,500 completed tasks of one user, as many of others, and 20,000 events of which 200 are feedback. */
async function fill(filling: Sql): Promise<void> {
  await filling`
    insert into tasks (id, user_id, title, priority, tags, tag_keys, completed_at, due_order, time_zone, position,
      repeat_from, version, created_at, updated_at, words)
    select gen_random_uuid(), case when n % 2 = 0 then ${USER}::uuid else gen_random_uuid() end, 'Task ' || n, 1, '{}', '{}',
      case when n % 16 <> 0 then now() - n * interval '1 minute' end, now() + n * interval '1 minute', 'UTC', n, 'due', 1,
      now(), now(), ''
    from generate_series(1, 40000) n`
  await filling`
    insert into events (user_id, seq, id, type, dataversion, source, subject, time, data)
    select ${USER}, n, gen_random_uuid(),
      case when n % 100 = 0 then 'suggestion.feedback.given' else 'task.created' end, '1.0', '/x', 'x', now(),
      jsonb_build_object('feedback', jsonb_build_object('kind', 'next', 'task_id', gen_random_uuid(), 'value', null,
        'verdict', 'dismissed', 'given_at', '2026-03-02T08:00:00.000Z'))
    from generate_series(1, 20000) n`
}

/** One connection that tells in `notices` how each statement was carried out. */
const explaining = (target: SocketTarget): Sql =>
  postgres({
    ...target,
    max: 1,
    onnotice: (notice) => notices.push(notice.message ?? ''),
    connection: {
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_level': 'notice',
      client_min_messages: 'notice',
      'auto_explain.log_analyze': 'on',
    },
  }) as unknown as Sql

describe('what suggestions are made from', () => {
  it('is one statement that reads no more rows than it gives, from indexes in their order', async () => {
    const limits = { open: 200, done: 500, feedback: 50 }
    const material = await createSuggestionReader(sql).material(USER, limits)
    // The driver asks for its types before.
    const [plan, ...others] = notices.filter((notice) => !notice.includes('pg_type'))
    expect(others).toEqual([])
    expect([material.open.length, material.done.length, material.feedback.length]).toEqual([200, 500, 50])
    expect(material.open[0]).toMatchObject({ title: 'Task 16', priority: 'medium', dueAt: null })
    expect(material.done[0]?.title).toBe('Task 2')
    for (const index of ['tasks_by_due', 'tasks_by_completion', 'events_of_suggestions']) {
      expect(plan).toContain(`using ${index}`)
    }
    expect(plan).not.toMatch(/Seq Scan|Sort Key|Rows Removed/)
  })
})
