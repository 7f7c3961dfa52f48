-- Service accounts by which native apps are woken, sealed: the installation's under the nil id, others under their site's.
create table fcm_accounts (
    scope         blob not null primary key,
    project_id    text not null,
    client_email  text not null,
    key_id        text not null,
    sealed        blob not null,
    created_at    text not null
) strict;

-- Set when a phone's app turned out to be gone; until the phone is heard of again nobody pushes to it.
alter table devices add column push_lost_at text;

-- The latest pushes of a site.
create index pushes_age on pushes (site_id, created_at, id);

update outbox set kind = 'push' where kind = 'web_push';
