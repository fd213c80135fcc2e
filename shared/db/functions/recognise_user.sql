-- The user of an external (issuer, subject), by a token that was issued at `issued_at`. A subject never seen before becomes
-- `newcomer`, and `change` tells of it; of two that see it at the same moment, the second waits for the first and gets its user.
-- Where the issuer `tells` of the address, the user has the newcomer's from then on. Raises DB009 for a token from before the
-- account of the subject was deleted, or one that does not say when it was issued.
create or replace function recognise_user(wanted_issuer text, wanted_subject text, issued_at timestamptz, newcomer jsonb,
  tells boolean, change jsonb)
returns users language plpgsql as $$
declare
  known users;
begin
  select u.* into known from external_identities e join users u on u.id = e.user_id
    where e.issuer = wanted_issuer and e.subject = wanted_subject;
  -- After that statement, so that one of the two sees a deletion.
  perform 1 from deleted_identities
    where digest = identity_digest(wanted_issuer, wanted_subject) and coalesce(issued_at, '-infinity') <= deleted_at;
  if found then
    raise exception 'the account was deleted' using errcode = 'DB009';
  end if;
  if known.id is not null then
    if tells and known.email is distinct from newcomer ->> 'email' then
      update users set email = newcomer ->> 'email', email_confirmed_at = (newcomer ->> 'email_confirmed_at')::timestamptz,
          version = version + 1
        where id = known.id returning * into known;
    end if;
  else
    insert into external_identities values (wanted_issuer, wanted_subject, (newcomer ->> 'id')::uuid)
      on conflict do nothing;
    if found then
      insert into users select * from jsonb_populate_record(null::users, newcomer) returning * into known;
      perform commit_change(change);
    else
      select u.* into known from external_identities e join users u on u.id = e.user_id
        where e.issuer = wanted_issuer and e.subject = wanted_subject;
    end if;
  end if;
  -- Who waited for a deletion finds nobody.
  if known.id is null then
    raise exception 'the account was deleted' using errcode = 'DB009';
  end if;
  return known;
end
$$;
