-- Applies one decided change of who may do what, with its events, in one transaction. `rows` is the IdentityChange of
-- shared/app/auth/ports.ts in column names; `change` goes to commit_change, and is null when the change concerns
-- nobody we know. Raises DB001 for a user, a session, a password or a link that has changed or ended, DB006 for an address that is
-- taken, DB008 for an invitation that does not hold, DB010 and DB011 for an API token whose name is taken, or that is one too many, 22023 for a part that nobody knows. Where sessions end, it notifies those
-- who remember which are open (shared/db/auth/session-signal.ts) of their user.
create or replace function commit_identity(rows jsonb, change jsonb) returns void
language plpgsql as $$
declare
  unknown constant jsonb := rows - array['at', 'new_user', 'invitation', 'proved_password', 'changed_user', 'voided_resets',
    'used_reset', 'deleted_user', 'changed_session', 'ended_sessions', 'counts', 'forgiven', 'tally',
    'new_session', 'most_sessions', 'new_api_token', 'most_api_tokens', 'revoked_api_token', 'new_ticket', 'most_tickets'];
  at constant timestamptz := (rows ->> 'at')::timestamptz;
  session constant uuid := rows #>> '{new_ticket,actor,sessionId}';
  owner uuid;
  gone constant uuid := rows ->> 'deleted_user';
  ended uuid[];
  times int;
  last bigint;
begin
  if unknown <> '{}' then
    raise exception 'a change has an unknown part: %', (select string_agg(key, ', ') from jsonb_object_keys(unknown) key)
      using errcode = 'invalid_parameter_value';
  end if;

  -- In the order of their keys, and no rows but these, so that two sign-ins never wait for each other.
  if rows ? 'counts' then
    insert into login_counts as c (key, count, resets_at, user_id)
      select key, 1, resets_at, user_id from jsonb_populate_recordset(null::login_counts, rows -> 'counts') order by key
      on conflict (key) do update set
        count = case when c.resets_at <= at then 1 else c.count + 1 end,
        resets_at = case when c.resets_at <= at then excluded.resets_at else c.resets_at end,
        user_id = coalesce(excluded.user_id, c.user_id);
  end if;

  -- Of what happens often the event says how often, and is left out where another one will say it.
  if rows ? 'tally' then
    select count into times from login_counts where key = rows #>> '{tally,key}';
    if times > (rows #>> '{tally,all_up_to}')::int and times & (times - 1) <> 0 then
      change := null;
    else
      change := jsonb_set(change, '{events,0,data,count}', to_jsonb(times));
    end if;
  end if;

  -- Before any other row of the user, as every write does, so that no two of them wait for each other.
  owner := coalesce(change ->> 'user_id', rows #>> '{new_session,user_id}', rows #>> '{new_ticket,user_id}')::uuid;
  if owner is not null then
    perform hold_user(owner);
  end if;

  -- After it, because whoever counts under these keys has others wait.
  if rows ? 'forgiven' then
    delete from login_counts where key in (select jsonb_array_elements_text(rows -> 'forgiven'));
  end if;

  if rows ? 'new_user' then
    insert into users select * from jsonb_populate_record(null::users, rows -> 'new_user')
      on conflict (email) where password_hash is not null do nothing;
    if not found then
      raise exception 'the address is taken' using errcode = 'DB006';
    end if;
  end if;

  if rows ? 'invitation' then
    delete from invitations where digest = rows ->> 'invitation' and expires_at > at
      and (email is null or email = rows #>> '{new_user,email}');
    if not found then
      raise exception 'the invitation does not hold' using errcode = 'DB008';
    end if;
  end if;

  if gone is not null then
    perform 1 from users where id = gone for update;
    if not found then
      raise exception 'the user is gone' using errcode = 'DB001';
    end if;
  end if;

  -- What rests on a password waits for whoever is changing it, and does not come after.
  if rows ? 'proved_password' then
    perform 1 from users where id = (rows #>> '{proved_password,user_id}')::uuid
      and password_hash = rows #>> '{proved_password,password_hash}' for no key update;
    if not found then
      raise exception 'the password is another one' using errcode = 'DB001';
    end if;
  end if;

  if rows ? 'changed_user' then
    begin
      update users u set email = n.email, email_confirmed_at = n.email_confirmed_at,
          confirmation_sent_at = n.confirmation_sent_at, new_email = n.new_email, new_email_at = n.new_email_at,
          display_name = n.display_name, time_zone = n.time_zone, version = n.version,
          password_hash = coalesce(n.password_hash, u.password_hash)
        from jsonb_populate_record(null::users, rows -> 'changed_user') n
        where u.id = n.id and u.version = n.version - 1;
      if not found then
        raise exception 'the user has another version' using errcode = 'DB001';
      end if;
    exception when unique_violation then
      raise exception 'the address is taken' using errcode = 'DB006';
    end;
  end if;

  if rows ? 'used_reset' then
    update password_resets set used_at = at
      where digest = rows ->> 'used_reset' and used_at is null;
    if not found then
      raise exception 'the link was used' using errcode = 'DB001';
    end if;
  end if;

  if rows ? 'voided_resets' then
    delete from password_resets where user_id = (rows ->> 'voided_resets')::uuid and used_at is null;
    update users set resets_void_at = at where id = (rows ->> 'voided_resets')::uuid;
  end if;

  if rows ? 'changed_session' then
    update sessions s set token_digest = n.token_digest, previous_digest = n.previous_digest,
        rotated_at = n.rotated_at, expires_at = n.expires_at, revoked_at = n.revoked_at,
        client_address = n.client_address, user_agent = n.user_agent, version = n.version
      from jsonb_populate_record(null::sessions, rows -> 'changed_session') n
      where s.id = n.id and s.version = n.version - 1;
    if not found then
      raise exception 'the session has another version' using errcode = 'DB001';
    end if;
    if rows #>> '{changed_session,revoked_at}' is not null then
      delete from push_subscriptions where session_id = (rows #>> '{changed_session,id}')::uuid;
      delete from tickets where user_id = (rows #>> '{changed_session,user_id}')::uuid
        and actor ->> 'sessionId' = rows #>> '{changed_session,id}';
      perform pg_notify('daybook_sessions', rows #>> '{changed_session,user_id}');
    end if;
  end if;

  -- All sessions of a user, or all but one. What a session has added meanwhile is seen by the statement after the one that
  -- waited for it.
  if rows ? 'ended_sessions' then
    with revoked as (
      update sessions set revoked_at = at, version = version + 1
        where user_id = (rows #>> '{ended_sessions,user_id}')::uuid and revoked_at is null
          and id is distinct from (rows #>> '{ended_sessions,except}')::uuid
        returning id)
    select array_agg(id) into ended from revoked;
    delete from push_subscriptions where session_id = any(ended);
    delete from tickets where user_id = (rows #>> '{ended_sessions,user_id}')::uuid
      and (rows #>> '{ended_sessions,except}' is null
        or actor ->> 'sessionId' is distinct from rows #>> '{ended_sessions,except}');
    delete from api_tokens where user_id = (rows #>> '{ended_sessions,user_id}')::uuid;
    perform pg_notify('daybook_sessions', rows #>> '{ended_sessions,user_id}');
  end if;

  if rows ? 'revoked_api_token' then
    delete from api_tokens where id = (rows ->> 'revoked_api_token')::uuid and user_id = owner;
    if not found then
      raise exception 'there is no such token' using errcode = 'DB001';
    end if;
    delete from tickets where user_id = owner and actor ->> 'sessionId' = rows ->> 'revoked_api_token';
    perform pg_notify('daybook_sessions', owner::text);
  end if;

  -- The user is held above, so that the count holds.
  if rows ? 'new_api_token' then
    if not exists (select from users where id = owner) then
      raise exception 'the user is gone' using errcode = 'DB001';
    end if;
    -- Which the purge may not have removed yet.
    delete from api_tokens where user_id = owner and expires_at <= at;
    if (select count(*) from api_tokens where user_id = owner) >= (rows ->> 'most_api_tokens')::int then
      raise exception 'too many tokens' using errcode = 'DB011';
    end if;
    insert into api_tokens select * from jsonb_populate_record(null::api_tokens, rows -> 'new_api_token')
      on conflict (user_id, name) do nothing;
    if not found then
      raise exception 'the name is taken' using errcode = 'DB010';
    end if;
  end if;

  -- A new one takes the place of the one that was used the longest time ago.
  if rows ? 'new_session' then
    delete from sessions where id in (
      select id from sessions where id = any(array(
        select id from sessions where user_id = owner
        order by revoked_at is null desc, coalesce(rotated_at, created_at) desc, id desc
        offset (rows ->> 'most_sessions')::int - 1))
      for update skip locked);
    if found then
      perform pg_notify('daybook_sessions', owner::text);
    end if;
    insert into sessions select * from jsonb_populate_record(null::sessions, rows -> 'new_session')
      on conflict (id) do nothing;
    if not found then
      raise exception 'the session was begun before' using errcode = 'DB001';
    end if;
  end if;
  if rows ? 'new_ticket' then
    if not exists (
        select from sessions where id = session and revoked_at is null and expires_at > at
        union all select from api_tokens where id = session and expires_at > at
        union all select from users where id = owner and session is null) then
      raise exception 'the session has ended' using errcode = 'DB001';
    end if;
    delete from tickets where digest in (
      select digest from tickets where user_id = owner
      order by expires_at desc, digest offset (rows ->> 'most_tickets')::int - 1);
    insert into tickets select * from jsonb_populate_record(null::tickets, rows -> 'new_ticket');
  end if;

  if change is not null then
    perform commit_change(change);
  end if;

  -- By these an account is reached, and its address is taken; they are few. The event above is its last. What else there is
  -- of it is removed by erase-accounts.ts, and commit_change lets nobody write more.
  if gone is not null then
    insert into deleted_identities
      select identity_digest(issuer, subject), at from external_identities where user_id = gone
      on conflict (digest) do update set deleted_at = excluded.deleted_at;
    delete from external_identities where user_id = gone;
    delete from sessions where user_id = gone;
    perform pg_notify('daybook_sessions', gone::text);
    delete from api_tokens where user_id = gone;
    delete from tickets where user_id = gone;
    delete from password_resets where user_id = gone;
    delete from push_subscriptions where user_id = gone;
    delete from notification_preferences where user_id = gone;
    delete from users where id = gone;
    delete from user_counters where user_id = gone returning last_seq into last;
    insert into deleted_accounts (user_id, deleted_at, last_seq) values (gone, at, last);
  end if;
end
$$;
