-- A site's secret keys: several while backends are changed from one to the next, each with an end of its own.
create table site_secrets (
    hash         bytea primary key,
    site_id      uuid not null references sites (id),
    created_at   timestamptz not null,
    replaced_at  timestamptz,
    expires_at   timestamptz
);
create index site_secrets_site on site_secrets (site_id);
insert into site_secrets select secret_hash, id, created_at, null, null from sites;
insert into site_secrets select previous_secret_hash, id, created_at, created_at, previous_secret_until from sites
where previous_secret_hash is not null and previous_secret_hash <> secret_hash;
alter table sites drop column secret_hash;
alter table sites drop column previous_secret_hash;
alter table sites drop column previous_secret_until;

-- When the password of a site's user in Redis ends by itself.
alter table redis_users add column expires_at timestamptz;
