-- A decoy: what a page is given in the place of a sign-on of somebody who cannot be asked. Whoever the site does not
-- know has an id made from the address, which is no client's. (SQLite drops a reference only with its table.)
create table kept_pushes as select * from pushes;
drop table pushes;

create table new_sign_ons (
    id                  blob not null primary key,
    site_id             blob not null references sites (id),
    client_id           blob not null,
    token_hash          blob not null unique,
    state               text not null,
    tries_left          integer not null,
    number              integer,
    choices             text not null,
    ip                  text not null,
    user_agent          text not null,
    browser             text not null,
    os                  text not null,
    place               text not null,
    challenge_hash      blob,
    challenge_until     text,
    created_at          text not null,
    expires_at          text not null,
    decided_at          text,
    device_id           blob references devices (id),
    failure             integer,
    session_hash        blob unique,
    session_expires_at  text,
    redeemed_at         text,
    told_at             text,
    challenge_sealed    blob,
    challenge_at        text,
    test_identity       text,
    decoy               integer not null default 0,
    constraint sign_ons_decoys_prove_nothing
        check (decoy = 0 or (session_hash is null and state in ('pending', 'expired', 'cancelled')))
) strict;
insert into new_sign_ons
select id, site_id, client_id, token_hash, state, tries_left, number, choices, ip, user_agent, browser, os, place,
    challenge_hash, challenge_until, created_at, expires_at, decided_at, device_id, failure, session_hash,
    session_expires_at, redeemed_at, told_at, challenge_sealed, challenge_at, test_identity, 0
from sign_ons;
drop table sign_ons;
alter table new_sign_ons rename to sign_ons;
create index sign_ons_client on sign_ons (client_id, created_at);
create index sign_ons_open on sign_ons (expires_at) where state = 'pending';
create index sign_ons_untold on sign_ons (decided_at) where told_at is null and decided_at is not null;
create index sign_ons_told on sign_ons (told_at) where told_at is not null;
create index sign_ons_test on sign_ons (created_at) where state = 'pending' and test_identity is not null;
create index sign_ons_age on sign_ons (site_id, created_at);
create index sign_ons_device on sign_ons (device_id) where device_id is not null;

create table pushes (
    id           blob not null primary key,
    site_id      blob not null references sites (id),
    device_id    blob not null references devices (id),
    sign_on_id   blob not null references sign_ons (id),
    kind         text not null,
    state        text not null,
    attempts     integer not null,
    next_at      text not null,
    created_at   text not null
) strict;
insert into pushes
select id, site_id, device_id, sign_on_id, kind, state, attempts, next_at, created_at from kept_pushes;
drop table kept_pushes;
create index pushes_due on pushes (next_at) where state = 'queued';
create index pushes_device on pushes (device_id);
create index pushes_sign_on on pushes (sign_on_id);
