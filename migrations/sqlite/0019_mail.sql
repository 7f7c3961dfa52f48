-- Letters are no site's: what is in the outbox need not name one.
create table outbox_next (
    id           blob not null primary key,
    site_id      blob references sites (id),
    kind         text not null,
    target_id    blob not null,
    subject_id   blob not null,
    topic        text not null,
    body         text not null,
    state        text not null,
    attempts     integer not null,
    next_at      text not null,
    lease        blob,
    said         text not null,
    created_at   text not null,
    expires_at   text not null,
    ended_at     text
) strict;
insert into outbox_next select id, site_id, kind, target_id, subject_id, topic, body, state, attempts, next_at, lease, said, created_at, expires_at, ended_at from outbox;
drop table outbox;
alter table outbox_next rename to outbox;
create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_ended on outbox (ended_at) where ended_at is not null;
create index outbox_leases on outbox (lease) where lease is not null;
create index outbox_target on outbox (target_id, created_at);

-- When the person showed that they read the mail of their address.
alter table accounts add column email_confirmed_at text;

-- What a link does, whether it came by mail, and whose account is made by it where there is none yet.
alter table account_links add column purpose text not null default 'password';
alter table account_links add column is_mailed integer not null default 0;
alter table account_links add column email text;
