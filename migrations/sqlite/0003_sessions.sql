-- A browser's session with the pages. Its name, which only the cookie holds, is kept as a hash.
create table sessions (
    id          blob not null primary key,
    data        text not null,
    created_at  text not null,
    expires_at  text not null
) strict;
create index sessions_expires_at on sessions (expires_at);
