-- A further phone of somebody is worth nothing until it is confirmed and their face was matched on it. Until
-- then failures count against the phone, not against the person.
alter table devices add column confirmed_at timestamptz;
alter table devices add column matched_at timestamptz;
alter table devices add column failures integer not null default 0;
alter table devices add column locked_until timestamptz;
-- Phones of before were paired under the old rules and are used already.
update devices set confirmed_at = created_at, matched_at = created_at;
