import type postgres from 'postgres'

/**
 * Roles of the embedded server. initdb makes the first one, which nothing but the start itself and tools of developers
 * use: the product works as `app`, which reads and writes rows, migrations as `owner` of database and tables, and the state
 * store of a real daprd as `state`, in a schema of its own.
 */
export const EMBEDDED_ROLES = {
  superuser: 'daybook',
  owner: 'daybook_owner',
  app: 'daybook_app',
  state: 'daybook_state',
} as const

/**
 * Makes the roles where they are missing; again it changes nothing. What they do wrong is not logged by the server, whose
 * messages repeat values of statements: it is an error of the caller's, who logs it without.
 */
export async function prepareRoles(superuser: postgres.Sql): Promise<void> {
  await superuser.unsafe(`do $$
    declare
      role text;
      handover text;
    begin
      foreach role in array array['daybook_owner', 'daybook_app', 'daybook_state'] loop
        if not exists (select from pg_roles where rolname = role) then
          execute format('create role %I login', role);
          execute format('alter role %I set log_min_messages = log', role);
        end if;
      end loop;
      if not exists (select from pg_database where datname = current_database() and datdba = 'daybook_owner'::regrole) then
        execute format('alter database %I owner to daybook_owner', current_database());
        execute 'create schema dapr_state authorization daybook_state';
        execute 'alter role daybook_state set search_path = dapr_state';
        -- Data from before there were roles belongs to the superuser.
        for handover in
          select format('table %s', oid::regclass) from pg_class
            where relnamespace in (select oid from pg_namespace where nspname in ('public', 'dapr')) and relkind = 'r'
          union all select format('routine %s', oid::regprocedure) from pg_proc where pronamespace = 'public'::regnamespace
          union all select format('schema %I', nspname) from pg_namespace where nspname = 'dapr'
        loop
          execute format('alter %s owner to daybook_owner', handover);
        end loop;
      end if;
    end $$`)
}
