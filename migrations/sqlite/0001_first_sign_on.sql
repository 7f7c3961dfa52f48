-- Secrets of the installation, sealed under the master key.
create table keys (
    id          blob not null primary key,
    purpose     text not null,
    sealed      blob not null,
    created_at  text not null
) strict;
create unique index keys_purpose on keys (purpose);

create table sites (
    id                 blob not null primary key,
    name               text not null,
    domain             text not null,
    api_key            text not null unique,
    secret_hash        blob not null,
    channel_prefix     text not null unique,
    settings           text not null,
    tokens_not_before  text not null,
    disabled_at        text,
    created_at         text not null
) strict;

create table clients (
    id                  blob not null primary key,
    site_id             blob not null references sites (id),
    email               text not null,
    email_key           text not null,
    full_name           text not null,
    failures            integer not null default 0,
    locked_until        text,
    locked_permanently  integer not null default 0,
    created_at          text not null
) strict;
create unique index clients_email on clients (site_id, email_key);

-- A QR code: the right to pair one phone with one client.
create table enrolments (
    id          blob not null primary key,
    site_id     blob not null references sites (id),
    client_id   blob not null references clients (id),
    token_hash  blob not null unique,
    flow_type   text not null,
    expires_at  text not null,
    used_at     text,
    created_at  text not null
) strict;

create table devices (
    id                blob not null primary key,
    site_id           blob not null references sites (id),
    client_id         blob not null references clients (id),
    name              text not null,
    platform          text not null,
    thumbprint        text not null,
    token_hash        blob not null unique,
    token_expires_at  text not null,
    push              text not null,
    flow_type         text not null,
    may_replace_face  integer not null,
    challenge_hash    blob,
    challenge_until   text,
    created_at        text not null,
    last_seen_at      text not null,
    revoked_at        text
) strict;
create index devices_client on devices (client_id);

-- Device proofs already seen, so that none is accepted twice.
create table device_proofs (
    id          blob not null primary key,
    expires_at  text not null
) strict;
create index device_proofs_expiry on device_proofs (expires_at);

create table faces (
    id            blob not null primary key,
    site_id       blob not null references sites (id),
    client_id     blob not null unique references clients (id),
    device_id     blob references devices (id),
    pack_name     text not null,
    pack_version  text not null,
    key_id        blob not null,
    sealed        blob not null,
    created_at    text not null
) strict;

create table consents (
    id          blob not null primary key,
    site_id     blob not null references sites (id),
    client_id   blob not null references clients (id),
    device_id   blob not null references devices (id),
    version     text not null,
    text        text not null,
    created_at  text not null
) strict;
create index consents_client on consents (client_id);

-- One row an attempt: this is the login tracker.
create table sign_ons (
    id                  blob not null primary key,
    site_id             blob not null references sites (id),
    client_id           blob not null references clients (id),
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
    redeemed_at         text
) strict;
create index sign_ons_client on sign_ons (client_id, created_at);
create index sign_ons_open on sign_ons (expires_at) where state = 'pending';

-- Origins a person has reported: no push from there for a while.
create table freezes (
    client_id   blob not null references clients (id),
    ip          text not null,
    until       text not null,
    primary key (client_id, ip)
) strict;

-- What is still to be told to a phone. A device's inbox is the kind that needs no delivery.
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
create index pushes_due on pushes (next_at) where state = 'queued';

-- What was done, by whom; append only.
create table audit_events (
    id          blob not null primary key,
    site_id     blob not null,
    client_id   blob,
    device_id   blob,
    sign_on_id  blob,
    action      text not null,
    detail      text not null,
    ip          text not null,
    created_at  text not null
) strict;
create index audit_events_site on audit_events (site_id, created_at);

-- The theoretical arrival time of each limited key (generic cell rate algorithm), in microseconds.
create table limits (
    id       blob not null primary key,
    arrival  integer not null
) strict;
create index limits_arrival on limits (arrival);
