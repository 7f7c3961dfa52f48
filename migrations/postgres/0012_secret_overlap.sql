-- The secret key of before a rotation, which is still taken for a while.
alter table sites add column previous_secret_hash bytea;
alter table sites add column previous_secret_until timestamptz;
