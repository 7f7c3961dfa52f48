-- The lines of each site form a chain: a number, and a keyed hash over what the line says and over the
-- hash of the one before. Lines of before have neither until their site's log begins.
alter table audit_events rename column ip to network;
alter table audit_events add column actor text not null default '';
alter table audit_events add column seq integer;
alter table audit_events add column mac blob;
create unique index audit_events_chain on audit_events (site_id, seq);
create index audit_events_loose on audit_events (site_id) where seq is null;

-- Where each site's chain ends, and up to where retention has cut it off; whoever writes a line holds it.
create table audit_heads (
    site_id     blob not null primary key,
    seq         integer not null,
    mac         blob not null,
    pruned_seq  integer not null,
    pruned_mac  blob not null,
    seal        blob not null
) strict;
