-- What somebody outside is still to be told, and what became of it: rows are written in the transaction of
-- what they tell of.
create table outbox (
    id           blob not null primary key,
    site_id      blob not null references sites (id),
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
create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_ended on outbox (ended_at) where ended_at is not null;
create index outbox_leases on outbox (lease) where lease is not null;
create index outbox_target on outbox (target_id, created_at);

-- Where a site is told of what happens. The secrets that sign are sealed.
create table webhooks (
    id               blob not null primary key,
    site_id          blob not null references sites (id),
    url              text not null,
    topics           text not null,
    secret           blob not null,
    previous_secret  blob,
    previous_until   text,
    disabled_at      text,
    disabled_for     text not null,
    created_at       text not null
) strict;
create index webhooks_site on webhooks (site_id);
