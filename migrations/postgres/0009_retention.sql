-- What is removed by age is found by age, and what names a phone by the phone.
create index sign_ons_age on sign_ons (site_id, created_at);
create index sign_ons_device on sign_ons (device_id) where device_id is not null;
create index face_references_device on face_references (device_id) where device_id is not null;
create index pushes_device on pushes (device_id);
create index pushes_sign_on on pushes (sign_on_id);
create index freezes_until on freezes (until);
create index enrolments_expires_at on enrolments (expires_at);
