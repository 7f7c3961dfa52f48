-- The dashboard's own site, of which there is one at most: accounts sign in by their face there.
alter table sites add column is_dashboard boolean not null default false;
create unique index sites_dashboard on sites (is_dashboard) where is_dashboard;

-- Which client of that site an account is.
create table account_faces (
    account_id  uuid not null primary key references accounts (id) on delete cascade,
    client_id   uuid not null unique references clients (id) on delete cascade,
    created_at  timestamptz not null
);

-- Codes that sign an account in, once each.
create table recovery_codes (
    code_hash   bytea not null primary key,
    account_id  uuid not null references accounts (id) on delete cascade,
    created_at  timestamptz not null,
    used_at     timestamptz
);
create index recovery_codes_account on recovery_codes (account_id);
