-- The user of an external (issuer, subject). A subject never seen before becomes `newcomer`, and `change` tells of it;
-- of two that see it at the same moment, the second waits for the first and gets its user. Where the issuer `tells` of the
-- address, the user has the newcomer's from then on.
create or replace function recognise_user(wanted_issuer text, wanted_subject text, newcomer jsonb, tells boolean, change jsonb)
returns users language plpgsql as $$
declare
  known users;
begin
  select u.* into known from external_identities e join users u on u.id = e.user_id
    where e.issuer = wanted_issuer and e.subject = wanted_subject;
  if found then
    if tells and known.email is distinct from newcomer ->> 'email' then
      update users set email = newcomer ->> 'email', email_confirmed_at = (newcomer ->> 'email_confirmed_at')::timestamptz,
          version = version + 1
        where id = known.id returning * into known;
    end if;
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
