-- People. Those who come through an external issuer have no password here, and an address if the issuer says that it is
-- theirs. By its address only an account with a password is found.
create table users (
  id uuid primary key,
  email text,
  password_hash text,
  time_zone text not null,
  created_at timestamptz(3) not null,
  -- Until then no mail goes there but the one that asks whether it may.
  email_confirmed_at timestamptz(3),
  confirmation_sent_at timestamptz(3),
  display_name text,
  -- The address that takes the place of the other one when it is confirmed, and since when it is asked for.
  new_email text,
  new_email_at timestamptz(3),
  -- A mail asked for until then brings no link that sets a password, whenever it is sent.
  resets_void_at timestamptz(3),
  version integer not null default 1 check (version > 0),
  check (password_hash is null or email is not null)
);
create unique index users_email on users (email) where password_hash is not null;

-- Whoever registers by invitation needs one of these, once. Only the digest of its code is kept.
create table invitations (
  digest text primary key,
  -- Null: for anybody.
  email text,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null
);
create index invitations_age on invitations (expires_at);

-- The primary key is the promise "one user per (issuer, subject)", whoever sees the subject first.
create table external_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  primary key (issuer, subject)
);
create index external_identities_of_user on external_identities (user_id);

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
  version integer not null check (version > 0),
  -- Of its last sign-in or refresh, for its user to know it by.
  client_address text,
  user_agent text
);
create index sessions_age on sessions (expires_at);
create index sessions_of_user on sessions (user_id);

create table tickets (
  digest text primary key,
  user_id uuid not null,
  purpose text not null,
  actor jsonb not null,
  expires_at timestamptz(3) not null
);
create index tickets_age on tickets (expires_at);
create index tickets_of_user on tickets (user_id, expires_at);

-- Links that set a new password, each for one use. Only digests of their tokens are kept; a used one is known until it
-- expires, so that who uses it again by a retry can be told from who never had it.
create table password_resets (
  digest text primary key,
  user_id uuid not null,
  expires_at timestamptz(3) not null,
  used_at timestamptz(3)
);
create index password_resets_age on password_resets (expires_at);
create index password_resets_of_user on password_resets (user_id);

-- What is left of an account: that it was, and its last event. Everything else of the user is removed, in batches.
create table deleted_accounts (
  user_id uuid primary key,
  deleted_at timestamptz(3) not null,
  -- Of the event that tells of it.
  last_seq bigint not null,
  -- The last look for what others have left behind of it; null: there is more to remove.
  erased_at timestamptz(3)
);
create index deleted_accounts_to_erase on deleted_accounts (deleted_at) where erased_at is null;

-- Whom an external issuer knows that had an account here, as digests (identity_digest.sql): tokens that were issued before make no
-- other one.
create table deleted_identities (
  digest text primary key,
  deleted_at timestamptz(3) not null
);

-- Attempts, failed and good sign-ins per window. Keys are digests: what people type into the wrong field is not kept.
create table login_counts (
  key text primary key,
  count integer not null,
  resets_at timestamptz(3) not null,
  -- With whose account it goes; null for what is counted of a client, or for an address whoever has it.
  user_id uuid
);
create index login_counts_age on login_counts (resets_at);
create index login_counts_of_user on login_counts (user_id) where user_id is not null;

-- The unique generation decides which of two processes that make a key at the same moment has made it.
create table signing_keys (
  generation integer primary key,
  kid text not null unique,
  private_jwk jsonb not null,
  created_at timestamptz(3) not null
);

-- Signs the links in mails. One row: of processes that make one at the same moment, the first counts.
create table link_keys (
  single boolean primary key default true check (single),
  key text not null,
  created_at timestamptz(3) not null
);
