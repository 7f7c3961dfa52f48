-- The login tracker reads by time, by how an attempt ended, by what it failed at, by person and by address, each newest first;
-- the first of these also counts without touching the rows.
drop index sign_ons_age;
create index sign_ons_age on sign_ons (site_id, created_at, id, state, failure, decoy);
create index sign_ons_state on sign_ons (site_id, state, created_at, id);
create index sign_ons_failure on sign_ons (site_id, state, failure, created_at, id) where failure is not null;
create index sign_ons_person on sign_ons (site_id, client_id, created_at, id);
create index sign_ons_address on sign_ons (site_id, ip, created_at, id);

-- How many attempts of a day ended how; made once the day is over. The row of state 'all' says that it was.
create table sign_on_tallies (
    site_id  uuid not null references sites (id) on delete cascade,
    day      text not null,
    state    text not null,
    failure  integer not null,
    count    bigint not null,
    primary key (site_id, day, state, failure)
);

-- People are looked for by the beginning of their name too.
-- Both are compared byte by byte, as SQLite does, so that an index finds beginnings.
alter table clients alter column email_key type text collate "C";
alter table clients add column name_key text collate "C" not null default '';
update clients set name_key = lower(full_name);
create index clients_name on clients (site_id, name_key, id);
create index clients_created on clients (site_id, created_at, id);
