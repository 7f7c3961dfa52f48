-- Letters are no site's: what is in the outbox need not name one.
alter table outbox alter column site_id drop not null;

-- When the person showed that they read the mail of their address.
alter table accounts add column email_confirmed_at timestamptz;

-- What a link does, whether it came by mail, and whose account is made by it where there is none yet.
alter table account_links add column purpose text not null default 'password';
alter table account_links add column is_mailed boolean not null default false;
alter table account_links add column email text;
