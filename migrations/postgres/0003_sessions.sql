-- A browser's session with the pages. Its name, which only the cookie holds, is kept as a hash.
create table sessions (
    id          bytea not null primary key,
    data        text not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null
);
create index sessions_expires_at on sessions (expires_at);
