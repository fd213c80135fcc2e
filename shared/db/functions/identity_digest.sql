-- By which somebody whom an issuer knows is recognised, and not named.
create or replace function identity_digest(issuer text, subject text) returns text
language sql immutable return encode(sha256(convert_to(issuer || E'\n' || subject, 'UTF8')), 'base64');
