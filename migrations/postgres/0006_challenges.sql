-- A challenge stays the same until it is answered or over: it is kept sealed beside its hash, with the time
-- from which its frames may be. Those given out before end here; phones ask again.
alter table sign_ons add column challenge_sealed bytea;
alter table sign_ons add column challenge_at timestamptz;
update sign_ons set challenge_hash = null, challenge_until = null;
alter table devices add column challenge_sealed bytea;
alter table devices add column challenge_at timestamptz;
update devices set challenge_hash = null, challenge_until = null;

-- What a phone's person cannot do when asked to prove life.
alter table devices add column without jsonb not null default '[]';

-- What the frames of earlier answers looked like, sealed, so that none is accepted twice.
create table seen_frames (
    id              uuid not null primary key,
    site_id         uuid not null references sites (id),
    client_id       uuid not null references clients (id) on delete cascade,
    challenge_hash  bytea not null,
    sealed          bytea not null,
    created_at      timestamptz not null
);
create index seen_frames_client on seen_frames (client_id, created_at);
create index seen_frames_age on seen_frames (created_at);
