//! The routes, the cable and the command line of the real app, on both databases. The files mirror
//! the routes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is what ends a test"
)]

mod application_auth;
mod assets;
mod audit;
mod audit_kinds;
mod cable;
mod cli;
mod client_create;
mod client_qrcode;
mod client_read;
mod client_send_push;
mod client_upload_facial;
mod clock;
mod contract;
mod cors;
mod credential_kinds;
mod credentials;
mod crowd;
mod dashboard;
mod decoys;
mod device_confirm;
mod device_facial;
mod device_push;
mod device_register;
mod device_unpair;
mod docs;
mod envelope;
mod erasure;
mod face_references;
mod fcm;
mod full_disk;
mod house;
mod kept_secrets;
mod keys;
mod liveness;
mod login_cancel;
mod login_challenge;
mod login_deny;
mod login_lookup_client;
mod login_pending;
mod login_push_notification;
mod login_recent;
mod login_status;
mod login_validate_session;
mod login_verify_token;
mod model;
mod network;
mod outbox;
mod pages;
mod paired_phone;
mod parallel;
mod phone_app;
mod phone_command;
mod proof;
mod push_fatigue;
mod raw_http;
mod replay;
mod retention;
mod scopes;
mod served;
mod serving;
mod sessions;
mod shares;
mod signals;
mod site_redis;
mod site_tokens;
mod sweep;
mod test_identities;
mod threats;
mod tls;
mod traps;
mod two_servers;
mod web_push;
mod webhook_command;
mod webhooks;
