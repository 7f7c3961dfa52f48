-- One push for each phone and sign-on, kept as long as the sign-on: when its push service took or refused it, and
-- when the phone showed and opened it. Parcels in the outbox go to the push services. What was in this table before was of
-- use for ten minutes and waited for nobody.
drop table pushes;
create table pushes (
    id           uuid not null primary key,
    site_id      uuid not null references sites (id),
    device_id    uuid not null references devices (id) on delete cascade,
    sign_on_id   uuid not null references sign_ons (id) on delete cascade,
    kind         text not null,
    created_at   timestamptz not null,
    sent_at      timestamptz,
    refused_at   timestamptz,
    shown_at     timestamptz,
    opened_at    timestamptz,
    said         text not null
);
create unique index pushes_once on pushes (sign_on_id, device_id);
create index pushes_device on pushes (device_id);
