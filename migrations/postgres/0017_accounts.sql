-- Who may open the dashboard.
create table accounts (
    id                uuid primary key,
    email             text not null,
    email_key         text not null unique,
    password          text,
    is_administrator  boolean not null,
    created_at        timestamptz not null
);

-- What an account may do on a site.
create table memberships (
    account_id  uuid not null references accounts (id) on delete cascade,
    site_id     uuid not null references sites (id) on delete cascade,
    role        text not null,
    created_at  timestamptz not null,
    primary key (account_id, site_id)
);
create index memberships_site on memberships (site_id);

-- A link that sets a password, once: of the account that it names, or of the first one.
create table account_links (
    token_hash  bytea primary key,
    account_id  uuid references accounts (id) on delete cascade,
    expires_at  timestamptz not null,
    used_at     timestamptz
);
create index account_links_account on account_links (account_id);
create index account_links_expires_at on account_links (expires_at);

-- Whose session it is, so that all of an account's can be listed and ended.
alter table sessions add column account_id uuid;
create index sessions_account on sessions (account_id) where account_id is not null;
