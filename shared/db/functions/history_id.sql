-- Names the history of which sequence numbers are. A restored database gives numbers a second time, so it has another id: a dump has
-- another cluster or database (oid), a backup brought forward in time and a standby that took over have another timeline.
create or replace function history_id() returns uuid language sql stable as $$
  select md5(concat_ws(' ', h.id, (select system_identifier from pg_control_system()), d.oid,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)))::uuid
  from history h, pg_database d where d.datname = current_database()
$$;
