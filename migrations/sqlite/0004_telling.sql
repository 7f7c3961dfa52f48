-- When a verdict is known to have been broadcast; until then any server tells it again.
alter table sign_ons add column told_at text;
update sign_ons set told_at = decided_at where decided_at is not null;
create index sign_ons_untold on sign_ons (decided_at) where told_at is null and decided_at is not null;
create index sign_ons_told on sign_ons (told_at) where told_at is not null;

-- A site's own user in Redis, which may listen to the site's channels. The password is kept as a hash.
create table redis_users (
    site_id        blob not null primary key references sites (id),
    name           text not null unique,
    password_hash  blob not null,
    created_at     text not null,
    removed_at     text
) strict;
