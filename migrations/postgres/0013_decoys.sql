-- A decoy: what a page is given in the place of a sign-on of somebody who cannot be asked. Whoever the site does not
-- know has an id made from the address, which is no client's.
alter table sign_ons drop constraint sign_ons_client_id_fkey;
alter table sign_ons add column decoy boolean not null default false;
alter table sign_ons add constraint sign_ons_decoys_prove_nothing
    check (not decoy or (session_hash is null and state in ('pending', 'expired', 'cancelled')));
