-- People. Those who come through an external issuer have neither address nor password here.
create table users (
  id uuid primary key,
  email text unique,
  password_hash text,
  time_zone text not null,
  created_at timestamptz(3) not null,
  check ((email is null) = (password_hash is null))
);

-- The primary key is the promise "one user per (issuer, subject)", whoever sees the subject first.
create table external_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  primary key (issuer, subject)
);

-- A sign-in on one device: the chain of its refresh tokens. Only digests of tokens are kept; `seed` makes each token's
-- successor, and is of no use without the token.
create table sessions (
  id uuid primary key,
  user_id uuid not null,
  seed text not null,
  token_digest text not null,
  previous_digest text,
  rotated_at timestamptz(3),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  version integer not null check (version > 0)
);
create index sessions_age on sessions (expires_at);

create table tickets (
  digest text primary key,
  user_id uuid not null,
  purpose text not null,
  actor jsonb not null,
  expires_at timestamptz(3) not null
);
create index tickets_age on tickets (expires_at);

-- Attempts, failed and good sign-ins per window. Keys are digests: what people type into the wrong field is not kept.
create table login_counts (
  key text primary key,
  count integer not null,
  resets_at timestamptz(3) not null
);
create index login_counts_age on login_counts (resets_at);

-- The unique generation decides which of two processes that make a key at the same moment has made it.
create table signing_keys (
  generation integer primary key,
  kid text not null unique,
  private_jwk jsonb not null,
  created_at timestamptz(3) not null
);

-- Applies one decided change of who may do what, with its events, in one transaction. `rows` is the IdentityChange of
-- shared/app/identity-ports.ts in column names; `change` goes to commit_change, and is null when the change concerns
-- nobody we know. Raises DB001 for a session with another version, DB006 for an address that is taken.
create function commit_identity(rows jsonb, change jsonb) returns void
language plpgsql as $$
declare
  at constant timestamptz := (rows ->> 'at')::timestamptz;
begin
  if rows ? 'new_user' then
    insert into users select * from jsonb_populate_record(null::users, rows -> 'new_user') on conflict (email) do nothing;
    if not found then
      raise exception 'the address is taken' using errcode = 'DB006';
    end if;
  end if;

  if rows ? 'new_session' then
    insert into sessions select * from jsonb_populate_record(null::sessions, rows -> 'new_session');
  end if;

  if rows ? 'changed_session' then
    update sessions s set token_digest = n.token_digest, previous_digest = n.previous_digest,
        rotated_at = n.rotated_at, expires_at = n.expires_at, revoked_at = n.revoked_at, version = n.version
      from jsonb_populate_record(null::sessions, rows -> 'changed_session') n
      where s.id = n.id and s.version = n.version - 1;
    if not found then
      raise exception 'the session has another version' using errcode = 'DB001';
    end if;
  end if;

  if rows ? 'new_ticket' then
    insert into tickets select * from jsonb_populate_record(null::tickets, rows -> 'new_ticket');
  end if;

  -- In the order of their keys, and no rows but these, so that two sign-ins never wait for each other.
  if rows ? 'counts' then
    insert into login_counts as c (key, count, resets_at)
      select key, 1, resets_at from jsonb_populate_recordset(null::login_counts, rows -> 'counts') order by key
      on conflict (key) do update set
        count = case when c.resets_at <= at then 1 else c.count + 1 end,
        resets_at = case when c.resets_at <= at then excluded.resets_at else c.resets_at end;
  end if;

  if rows ? 'forgiven' then
    delete from login_counts where key in (select jsonb_array_elements_text(rows -> 'forgiven'));
  end if;

  if change is not null then
    perform commit_change(change);
  end if;
end
$$;

-- The user of an external (issuer, subject). A subject never seen before becomes `newcomer`, and `change` tells of it;
-- of two that see it at the same moment, the second waits for the first and gets its user.
create function recognise_user(wanted_issuer text, wanted_subject text, newcomer jsonb, change jsonb)
returns users language plpgsql as $$
declare
  known users;
begin
  select u.* into known from external_identities e join users u on u.id = e.user_id
    where e.issuer = wanted_issuer and e.subject = wanted_subject;
  if found then
    return known;
  end if;
  insert into external_identities values (wanted_issuer, wanted_subject, (newcomer ->> 'id')::uuid)
    on conflict do nothing;
  if found then
    insert into users select * from jsonb_populate_record(null::users, newcomer) returning * into known;
    perform commit_change(change);
  else
    select u.* into known from external_identities e join users u on u.id = e.user_id
      where e.issuer = wanted_issuer and e.subject = wanted_subject;
  end if;
  return known;
end
$$;
