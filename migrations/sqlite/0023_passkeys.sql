-- Keys in people's own devices that sign an account in.
create table passkeys (
    id           blob not null primary key,
    account_id   blob not null references accounts (id) on delete cascade,
    public_key   blob not null,
    counter      integer not null,
    name         text not null,
    created_at   text not null,
    used_at      text
) strict;
create index passkeys_account on passkeys (account_id);
