-- A challenge stays the same until it is answered or over: it is kept sealed beside its hash, with the time
-- from which its frames may be. Those given out before end here; phones ask again.
alter table sign_ons add column challenge_sealed blob;
alter table sign_ons add column challenge_at text;
update sign_ons set challenge_hash = null, challenge_until = null;
alter table devices add column challenge_sealed blob;
alter table devices add column challenge_at text;
update devices set challenge_hash = null, challenge_until = null;

-- What a phone's person cannot do when asked to prove life.
alter table devices add column without text not null default '[]';

-- What the frames of earlier answers looked like, sealed, so that none is accepted twice.
create table seen_frames (
    id              blob not null primary key,
    site_id         blob not null references sites (id),
    client_id       blob not null references clients (id) on delete cascade,
    challenge_hash  blob not null,
    sealed          blob not null,
    created_at      text not null
) strict;
create index seen_frames_client on seen_frames (client_id, created_at);
create index seen_frames_age on seen_frames (created_at);
