-- The audit trail: of each user a chain of entries, one for every event of theirs, each bound to the one before by its
-- hash (shared/domain/audit/chain.ts). An event has one place in its user's order, so the primary key of the entries is
-- the promise "one entry for each event", and their order that of the events, whichever topic brought the news first.
create table audit_chains (
  user_id uuid primary key,
  -- The last entry.
  seq bigint not null,
  hash bytea not null,
  -- What the first entry that is kept goes on from: the last that was removed for its age, or the beginning (0).
  anchor_seq bigint not null default 0,
  anchor_hash bytea not null,
  check (seq >= anchor_seq)
);

create table audit_entries (
  user_id uuid not null,
  seq bigint not null,
  at timestamptz(3) not null,
  -- Null, with all that follows from an account, since it was deleted; the leaf stays, and with it the chain.
  action text,
  resource text,
  -- Canonical JSON (RFC 8785), as text and not as jsonb: these bytes are hashed.
  body text,
  salt bytea,
  leaf bytea not null,
  hash bytea not null,
  primary key (user_id, seq),
  check ((body is null) = (salt is null) and (body is null) = (action is null) and (body is null) = (resource is null))
);
create index audit_entries_in_order on audit_entries (user_id, at, seq);
create index audit_entries_of_action on audit_entries (user_id, action, at, seq);
create index audit_entries_of_resource on audit_entries (user_id, resource, at, seq);

-- Only the end of a chain moves, and only forwards; what is kept begins later, never earlier.
create function audit_chain_goes_on() returns trigger language plpgsql as $$
begin
  if new.seq < old.seq or new.anchor_seq < old.anchor_seq or (new.seq = old.seq and new.hash <> old.hash) then
    raise exception 'an audit chain does not go back';
  end if;
  return new;
end
$$;
create trigger audit_chain_goes_on before update on audit_chains for each row execute function audit_chain_goes_on();

-- The leaves of one Merkle tree over all chains (shared/domain/audit/merkle.ts): how far each had come when a checkpoint was made.
create table audit_tree (
  index bigint primary key,
  user_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  unique (user_id, seq)
);

-- How many leaves of the tree have been gone through by what removes old entries. One row.
create table audit_retention (
  single boolean primary key default true check (single),
  pruned bigint not null
);
insert into audit_retention (pruned) values (0);

-- A checkpoint: the tree of this size, signed. `edge` is what the next one goes on from.
create table audit_checkpoints (
  size bigint primary key,
  edge bytea[] not null,
  note text not null,
  signed_at timestamptz(3) not null,
  -- Since then it is where it is to be found without this database.
  announced_at timestamptz(3)
);

-- Signs checkpoints, where it does not come from a secret store. One row: of processes that make one at the same moment, the
-- first counts.
create table audit_keys (
  single boolean primary key default true check (single),
  key text not null,
  created_at timestamptz(3) not null
);
