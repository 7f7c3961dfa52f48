-- A key is replaced by a newer one of its purpose; the old one is kept while a row refers to it.
drop index keys_purpose;
alter table keys add column retired_at text;
create unique index keys_current on keys (purpose) where retired_at is null;

-- A client's face: several references, each a template under the client's transform and sealed.
-- The transform is derived from a secret of the site and the client's salt; rows of before have none
-- until the first start of this version moves them under one.
create table face_references (
    id            blob not null primary key,
    site_id       blob not null references sites (id),
    client_id     blob not null references clients (id),
    device_id     blob references devices (id),
    source        text not null,
    pack_name     text not null,
    pack_version  text not null,
    key_id        blob not null references keys (id),
    transform_id  blob references keys (id),
    salt          blob,
    sealed        blob not null,
    created_at    text not null
) strict;
create index face_references_client on face_references (client_id);
create index face_references_key on face_references (key_id);
create index face_references_transform on face_references (transform_id);

insert into face_references
select id, site_id, client_id, device_id, 'enrolled', pack_name, pack_version, key_id, null, null, sealed, created_at
from faces;
drop table faces;
