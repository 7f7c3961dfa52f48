-- What somebody outside is still to be told, and what became of it: rows are written in the transaction of
-- what they tell of.
create table outbox (
    id           uuid primary key,
    site_id      uuid not null references sites (id),
    kind         text not null,
    target_id    uuid not null,
    subject_id   uuid not null,
    topic        text not null,
    body         text not null,
    state        text not null,
    attempts     integer not null,
    next_at      timestamptz not null,
    lease        uuid,
    said         text not null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    ended_at     timestamptz
);
create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_ended on outbox (ended_at) where ended_at is not null;
create index outbox_leases on outbox (lease) where lease is not null;
create index outbox_target on outbox (target_id, created_at);

-- Where a site is told of what happens. The secrets that sign are sealed.
create table webhooks (
    id               uuid primary key,
    site_id          uuid not null references sites (id),
    url              text not null,
    topics           jsonb not null,
    secret           bytea not null,
    previous_secret  bytea,
    previous_until   timestamptz,
    disabled_at      timestamptz,
    disabled_for     text not null,
    created_at       timestamptz not null
);
create index webhooks_site on webhooks (site_id);
