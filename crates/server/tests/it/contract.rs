//! The committed contract is the one that the routes describe.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn the_committed_copy_is_true() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        committed == server::app::contract().unwrap(),
        "docs/openapi.json is stale; run `cargo run -p server -- openapi > docs/openapi.json`"
    );
}

#[test]
fn every_route_names_its_answers_and_its_caller() {
    let contract: Value = serde_json::from_str(&server::app::contract().unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            assert!(route["summary"].is_string(), "{method} {path}");
            assert!(route["responses"]["200"].is_object(), "{method} {path}");
            let open = path.ends_with("application_auth") || path.ends_with("jwks.json");
            assert_eq!(route["security"].is_array(), !open, "{method} {path}");
            seen.insert(path.rsplit('/').next().unwrap().to_owned());
        }
    }
    for route in [
        "application_auth",
        "create",
        "qrcode",
        "send_push",
        "upload_facial",
        "lookup_client",
        "push_notification",
        "register",
        "challenge",
        "facial",
        "pending",
        "verify_token",
        "deny",
        "validate_session",
        "status",
        "cancel",
    ] {
        assert!(seen.contains(route), "{route}");
    }
}
