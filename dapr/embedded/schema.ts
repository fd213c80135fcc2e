import type { Sql } from '../../shared/db/connect.ts'

// The broker, the scheduler and the state store of the embedded profile. Each entry is applied once, in order, and
// never changed after it has shipped.
const VERSIONS = [
  `
  create table dapr.topics (
    id int generated always as identity primary key,
    pubsub text not null,
    name text not null,
    next_offset bigint not null default 0,
    unique (pubsub, name)
  );
  create table dapr.messages (
    topic_id int not null,
    message_offset bigint not null,
    key text,
    headers text not null,
    body text not null,
    is_raw boolean not null,
    published_at timestamptz(3) not null,
    primary key (topic_id, message_offset)
  );
  -- next_offset: everything below it is done with or parked. owner: the one sidecar that delivers for the group.
  create table dapr.consumers (
    app_id text not null,
    topic_id int not null references dapr.topics,
    next_offset bigint not null default 0,
    owner uuid,
    lease_until timestamptz,
    primary key (app_id, topic_id)
  );
  -- Messages that failed, and those of the same key behind them. retry_at is set on the first of a lane only.
  create table dapr.parked (
    app_id text not null,
    topic_id int not null,
    message_offset bigint not null,
    lane text not null,
    failures int not null,
    retry_at timestamptz,
    primary key (app_id, topic_id, message_offset),
    foreign key (topic_id, message_offset) references dapr.messages
  );
  create index parked_by_lane on dapr.parked (app_id, topic_id, lane, message_offset);
  create index parked_by_message on dapr.parked (topic_id, message_offset);
  create table dapr.state (
    store text not null,
    key text not null,
    value text not null,
    etag uuid not null default gen_random_uuid(),
    expires_at timestamptz,
    primary key (store, key)
  );
  create index state_by_expiry on dapr.state (expires_at) where expires_at is not null;
  -- revision changes when a job is replaced, so that a callback still running cannot count for the new one.
  -- tick_at is the time by the schedule, due_at the time of the next try.
  create table dapr.jobs (
    app_id text not null,
    name text not null,
    revision uuid not null default gen_random_uuid(),
    schedule text,
    due_time text,
    ttl text,
    repeats int,
    data text,
    failure_policy text not null,
    expires_at timestamptz(3),
    triggers int not null default 0,
    failures int not null default 0,
    tick_at timestamptz(3) not null,
    due_at timestamptz(3) not null,
    owner uuid,
    lease_until timestamptz,
    primary key (app_id, name)
  );
  create index jobs_by_due on dapr.jobs (app_id, due_at);
  `,
]

const LOCK = 4_316_091

/**
 * Creates or upgrades the schema `dapr`. Safe to call from several processes at once, and again. Where the schema is
 * already that of this release, it takes no right to make one.
 */
export async function ensureSchema(sql: Sql): Promise<void> {
  if (await isCurrent(sql)) return
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`
    await tx`create schema if not exists dapr`
    await tx`create table if not exists dapr.schema_version (version int not null)`
    const [row] = await tx<
      { version: number }[]
    >`select coalesce(max(version), 0) as version from dapr.schema_version`
    const current = row?.version ?? 0
    if (current > VERSIONS.length) {
      throw new Error(`the schema "dapr" has version ${current}, this release knows ${VERSIONS.length}`)
    }
    for (const [index, statements] of VERSIONS.entries()) {
      if (index < current) continue
      await tx.unsafe(statements)
      await tx`insert into dapr.schema_version values (${index + 1})`
    }
  })
}

async function isCurrent(sql: Sql): Promise<boolean> {
  const [table] = await sql<{ is_there: boolean }[]>`
    select to_regclass('dapr.schema_version') is not null as is_there`
  if (!table?.is_there) return false
  const [row] = await sql<
    { version: number | null }[]
  >`select max(version) as version from dapr.schema_version`
  return row?.version === VERSIONS.length
}
