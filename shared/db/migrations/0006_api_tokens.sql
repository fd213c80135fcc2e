-- What a user lets a program do: a secret, of which only the digest is kept, with scopes and an end. One that is revoked is gone;
-- the log tells of it.
create table api_tokens (
  id uuid primary key,
  user_id uuid not null,
  name text not null,
  scopes text[] not null check (cardinality(scopes) > 0),
  digest text not null unique,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  -- Written once in some minutes.
  last_used_at timestamptz(3),
  -- So that one whose answer got lost is found by its name, and not made again.
  unique (user_id, name)
);
create index api_tokens_age on api_tokens (expires_at);

-- What a token has subscribed goes with it.
alter table push_subscriptions add column api_token_id uuid references api_tokens (id) on delete cascade;
create index push_subscriptions_of_api_token on push_subscriptions (api_token_id) where api_token_id is not null;

-- A session of a program that its user let in by the consent page (OAuth 2.1): what it may do, and the URL that says what it is.
-- Null in sessions of people, who may do everything.
alter table sessions add column scopes text[], add column client_id text;
