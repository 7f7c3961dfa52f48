-- The dashboard's own site, of which there is one at most: accounts sign in by their face there.
alter table sites add column is_dashboard integer not null default 0;
create unique index sites_dashboard on sites (is_dashboard) where is_dashboard = 1;

-- Which client of that site an account is.
create table account_faces (
    account_id  blob not null primary key references accounts (id) on delete cascade,
    client_id   blob not null unique references clients (id) on delete cascade,
    created_at  text not null
) strict;

-- Codes that sign an account in, once each.
create table recovery_codes (
    code_hash   blob not null primary key,
    account_id  blob not null references accounts (id) on delete cascade,
    created_at  text not null,
    used_at     text
) strict;
create index recovery_codes_account on recovery_codes (account_id);
