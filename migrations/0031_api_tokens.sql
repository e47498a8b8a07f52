-- Who may ask the HTTP API: a token says it, and only its digest is here.

create table dlms.api_tokens (
  token_id text not null primary key check (token_id ~ '^[a-z0-9]{10}$'),
  name text not null check (name <> ''),
  role text not null check (role in ('reader', 'operator', 'engineer', 'admin')),
  collections text[],
  secret_digest bytea not null check (octet_length(secret_digest) = 32),
  created_at timestamptz not null default now(),
  created_by text not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
comment on table dlms.api_tokens is 'Tokens of the HTTP API; the secrets themselves are nowhere.';
comment on column dlms.api_tokens.collections is 'Names of the collections whose meters the token is for; all meters when null.';
comment on column dlms.api_tokens.secret_digest is 'SHA-256 of the secret part, which is 32 random octets.';
