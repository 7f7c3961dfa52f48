-- Secrets of the installation, sealed under the master key.
create table keys (
    id          uuid primary key,
    purpose     text not null,
    sealed      bytea not null,
    created_at  timestamptz not null
);
create unique index keys_purpose on keys (purpose);

create table sites (
    id                 uuid primary key,
    name               text not null,
    domain             text not null,
    api_key            text not null unique,
    secret_hash        bytea not null,
    channel_prefix     text not null unique,
    settings           jsonb not null,
    tokens_not_before  timestamptz not null,
    disabled_at        timestamptz,
    created_at         timestamptz not null
);

create table clients (
    id                  uuid primary key,
    site_id             uuid not null references sites (id),
    email               text not null,
    email_key           text not null,
    full_name           text not null,
    failures            integer not null default 0,
    locked_until        timestamptz,
    locked_permanently  boolean not null default false,
    created_at          timestamptz not null
);
create unique index clients_email on clients (site_id, email_key);

-- A QR code: the right to pair one phone with one client.
create table enrolments (
    id          uuid primary key,
    site_id     uuid not null references sites (id),
    client_id   uuid not null references clients (id),
    token_hash  bytea not null unique,
    flow_type   text not null,
    expires_at  timestamptz not null,
    used_at     timestamptz,
    created_at  timestamptz not null
);

create table devices (
    id                uuid primary key,
    site_id           uuid not null references sites (id),
    client_id         uuid not null references clients (id),
    name              text not null,
    platform          text not null,
    thumbprint        text not null,
    token_hash        bytea not null unique,
    token_expires_at  timestamptz not null,
    push              jsonb not null,
    flow_type         text not null,
    may_replace_face  boolean not null,
    challenge_hash    bytea,
    challenge_until   timestamptz,
    created_at        timestamptz not null,
    last_seen_at      timestamptz not null,
    revoked_at        timestamptz
);
create index devices_client on devices (client_id);

-- Device proofs already seen, so that none is accepted twice.
create table device_proofs (
    id          bytea primary key,
    expires_at  timestamptz not null
);
create index device_proofs_expiry on device_proofs (expires_at);

create table faces (
    id            uuid primary key,
    site_id       uuid not null references sites (id),
    client_id     uuid not null unique references clients (id),
    device_id     uuid references devices (id),
    pack_name     text not null,
    pack_version  text not null,
    key_id        uuid not null,
    sealed        bytea not null,
    created_at    timestamptz not null
);

create table consents (
    id          uuid primary key,
    site_id     uuid not null references sites (id),
    client_id   uuid not null references clients (id),
    device_id   uuid not null references devices (id),
    version     text not null,
    text        text not null,
    created_at  timestamptz not null
);
create index consents_client on consents (client_id);

-- One row an attempt: this is the login tracker.
create table sign_ons (
    id                  uuid primary key,
    site_id             uuid not null references sites (id),
    client_id           uuid not null references clients (id),
    token_hash          bytea not null unique,
    state               text not null,
    tries_left          integer not null,
    number              integer,
    choices             jsonb not null,
    ip                  text not null,
    user_agent          text not null,
    browser             text not null,
    os                  text not null,
    place               text not null,
    challenge_hash      bytea,
    challenge_until     timestamptz,
    created_at          timestamptz not null,
    expires_at          timestamptz not null,
    decided_at          timestamptz,
    device_id           uuid references devices (id),
    failure             integer,
    session_hash        bytea unique,
    session_expires_at  timestamptz,
    redeemed_at         timestamptz
);
create index sign_ons_client on sign_ons (client_id, created_at);
create index sign_ons_open on sign_ons (expires_at) where state = 'pending';

-- Origins a person has reported: no push from there for a while.
create table freezes (
    client_id   uuid not null references clients (id),
    ip          text not null,
    until       timestamptz not null,
    primary key (client_id, ip)
);

-- What is still to be told to a phone. A device's inbox is the kind that needs no delivery.
create table pushes (
    id           uuid primary key,
    site_id      uuid not null references sites (id),
    device_id    uuid not null references devices (id),
    sign_on_id   uuid not null references sign_ons (id),
    kind         text not null,
    state        text not null,
    attempts     integer not null,
    next_at      timestamptz not null,
    created_at   timestamptz not null
);
create index pushes_due on pushes (next_at) where state = 'queued';

-- What was done, by whom; append only.
create table audit_events (
    id          uuid primary key,
    site_id     uuid not null,
    client_id   uuid,
    device_id   uuid,
    sign_on_id  uuid,
    action      text not null,
    detail      text not null,
    ip          text not null,
    created_at  timestamptz not null
);
create index audit_events_site on audit_events (site_id, created_at);

-- The theoretical arrival time of each limited key (generic cell rate algorithm), in microseconds.
create table limits (
    id       bytea primary key,
    arrival  bigint not null
);
create index limits_arrival on limits (arrival);
