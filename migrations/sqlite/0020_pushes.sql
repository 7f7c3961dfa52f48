-- One push for each phone and sign-on, kept as long as the sign-on: when its push service took or refused it, and
-- when the phone showed and opened it. Parcels in the outbox go to the push services. What was in this table before was of
-- use for ten minutes and waited for nobody.
drop table pushes;
create table pushes (
    id           blob not null primary key,
    site_id      blob not null references sites (id),
    device_id    blob not null references devices (id) on delete cascade,
    sign_on_id   blob not null references sign_ons (id) on delete cascade,
    kind         text not null,
    created_at   text not null,
    sent_at      text,
    refused_at   text,
    shown_at     text,
    opened_at    text,
    said         text not null
) strict;
create unique index pushes_once on pushes (sign_on_id, device_id);
create index pushes_device on pushes (device_id);
