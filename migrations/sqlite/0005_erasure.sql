-- A client's own key seals the references of their face, and the data key seals it. Where it is erased,
-- every copy of the references is worthless.
create table client_keys (
    client_id   blob not null primary key references clients (id),
    site_id     blob not null references sites (id),
    key_id      blob not null references keys (id),
    sealed      blob not null,
    created_at  text not null
) strict;
create index client_keys_key on client_keys (key_id);

-- key_id is now null where the client's own key seals a reference; rows of before name the data key
-- until the first start of this version moves them.
create table references_anew (
    id            blob not null primary key,
    site_id       blob not null references sites (id),
    client_id     blob not null references clients (id),
    device_id     blob references devices (id),
    source        text not null,
    pack_name     text not null,
    pack_version  text not null,
    key_id        blob references keys (id),
    transform_id  blob references keys (id),
    salt          blob,
    sealed        blob not null,
    created_at    text not null
) strict;
insert into references_anew
select id, site_id, client_id, device_id, source, pack_name, pack_version, key_id, transform_id, salt, sealed, created_at
from face_references;
drop table face_references;
alter table references_anew rename to face_references;
create index face_references_client on face_references (client_id);
create index face_references_key on face_references (key_id);
create index face_references_transform on face_references (transform_id);

-- The record of a consent outlives the client and the phone that it names: it is the proof.
create table consents_anew (
    id            blob not null primary key,
    site_id       blob not null references sites (id),
    client_id     blob not null,
    device_id     blob not null,
    version       text not null,
    text          text not null,
    created_at    text not null,
    withdrawn_at  text
) strict;
insert into consents_anew
select id, site_id, client_id, device_id, version, text, created_at, null
from consents;
drop table consents;
alter table consents_anew rename to consents;
create index consents_client on consents (client_id);
