-- The bearer tokens of sites: one that is not here, or is revoked, is worth nothing. Those of before are not here,
-- so backends and widgets ask for new ones.
create table site_tokens (
    id          uuid primary key,
    site_id     uuid not null references sites (id),
    key_id      uuid not null references keys (id),
    scope       text not null,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    seen_at     timestamptz,
    seen_from   text not null
);
create index site_tokens_site on site_tokens (site_id, expires_at);
create index site_tokens_end on site_tokens (expires_at);
create index site_tokens_key on site_tokens (key_id);
