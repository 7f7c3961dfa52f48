-- Keys in people's own devices that sign an account in.
create table passkeys (
    id           bytea not null primary key,
    account_id   uuid not null references accounts (id) on delete cascade,
    public_key   bytea not null,
    counter      bigint not null,
    name         text not null,
    created_at   timestamptz not null,
    used_at      timestamptz
);
create index passkeys_account on passkeys (account_id);
