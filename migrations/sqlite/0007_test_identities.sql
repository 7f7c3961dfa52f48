-- Which test identity was asked, on a site in test mode; null for people.
alter table sign_ons add column test_identity text;
create index sign_ons_test on sign_ons (created_at) where state = 'pending' and test_identity is not null;
