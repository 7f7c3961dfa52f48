-- How long verdicts take is counted with them: milliseconds from question to verdict, of all that a row counts together. What
-- was counted before does not know it.
alter table sign_on_tallies add column took bigint;
drop index sign_ons_age;
create index sign_ons_age on sign_ons (site_id, created_at, id, state, failure, decoy, decided_at);

-- Which liveness an attempt was held to, from its first challenge on.
alter table sign_ons add column liveness text;

-- What failed lately, on one site or on many, without whoever typed addresses that nobody has.
create index sign_ons_failed on sign_ons (site_id, created_at, id)
    where not decoy and state in ('failed', 'denied', 'expired');
