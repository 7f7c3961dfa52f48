//! A token does what its scope says and no more, and a backend's token is worth nothing in a browser.

use serde_json::{Value, json};
use testkit::{Answer, App, Backend, Page, on_each_database, photos};

use crate::device_facial::count;

/// Which scope besides `site` each of a backend's routes takes.
const ROUTES: [(&str, &str, &str); 14] = [
    ("POST", "/client/confirm_device", "enrol"),
    ("POST", "/client/create", "enrol"),
    ("POST", "/client/delete", "enrol"),
    ("POST", "/client/qrcode", "enrol"),
    ("POST", "/client/revoke_device", "enrol"),
    ("POST", "/client/send_push", "sign_on"),
    ("POST", "/client/unlock", "enrol"),
    ("POST", "/client/upload_facial", "enrol"),
    ("GET", "/client/{id}", "enrol"),
    ("POST", "/login/cancel", "sign_on"),
    ("POST", "/login/lookup_client", "sign_on"),
    ("POST", "/login/push_notification", "sign_on"),
    ("GET", "/login/status", "sign_on"),
    ("POST", "/login/validate_session", "redeem"),
];

/// Calls a route with nothing in it: whoever may call it is told what is missing.
async fn call(backend: &Backend, method: &str, path: &str, origin: Option<&str>) -> Answer {
    let path = path.replace("{id}", "00000000-0000-4000-8000-000000000000");
    let mut request = backend.request(method, &path);
    if method == "POST" {
        request = request.json(&json!({}));
    }
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    Answer::to(request).await
}

#[test]
fn the_table_names_every_route_of_a_backend() {
    let contract: Value = serde_json::from_str(&server::app::contract().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            if route["security"].to_string().contains("site_token") {
                let path = path.strip_prefix("/api/v1/facial_sign_on").unwrap();
                found.push((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    let table: Vec<(String, String)> = ROUTES
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(found, table);
}

on_each_database! {
    async fn a_scope_opens_its_own_routes_and_no_other(app: App) {
        let site = app.site("a.example").await;
        for scope in ["site", "sign_on", "enrol", "redeem"] {
            let backend = site.with_token(&site.token_of(scope).await);
            for (method, path, wanted) in ROUTES {
                let answer = call(&backend, method, path, None).await;
                let is_open = scope == "site" || scope == wanted;
                assert_eq!(answer.code() == 1010, !is_open, "{scope} {method} {path}: {}", answer.code());
            }
        }
    }

    async fn a_backends_token_is_refused_in_a_browser(app: App) {
        let site = app.site("a.example").await;
        for scope in ["site", "sign_on", "enrol", "redeem"] {
            let backend = site.with_token(&site.token_of(scope).await);
            for (method, path, _) in ROUTES {
                for origin in ["https://a.example", "https://evil.example", "null"] {
                    let answer = call(&backend, method, path, Some(origin)).await;
                    assert_eq!(answer.code(), 1010, "{scope} {method} {path} from {origin}");
                }
            }
        }
        let told = call(&site, "POST", "/client/create", Some("https://a.example")).await;
        assert!(told.body["message"].as_str().unwrap().contains("widget"), "{told:?}");
        // The owner can see it: one line for each network and window.
        let lines = "select count(*) as n from audit_events where action = 'access_refused' and detail like '%sent by a browser%'";
        assert_eq!(count(&app, lines).await, 1);
    }

    async fn a_backends_token_opens_no_cable_that_a_page_or_a_log_can_see(app: App) {
        let site = app.site("a.example").await;
        let token = site.token_of("site").await;
        let subprotocol = format!("actioncable-v1-json, anycable-token.{token}");
        let protocols = ("sec-websocket-protocol", subprotocol.as_str());
        let mut in_query = Page::connect(&app.url, Some(&token)).await;
        assert_eq!(in_query.next().await.unwrap()["reason"], "unauthorized");
        let from_page = [protocols, ("origin", "https://a.example")];
        let mut from_page = Page::connect_with(&app.url, None, &from_page).await.unwrap();
        assert_eq!(from_page.next().await.unwrap()["reason"], "unauthorized");
        let mut backend = Page::connect_with(&app.url, None, &[protocols]).await.unwrap();
        assert_eq!(backend.next().await.unwrap()["type"], "welcome");
        let mut page = site.page().await;
        assert_eq!(page.next().await.unwrap()["type"], "welcome");
    }

    async fn a_backend_alone_puts_no_face_in_the_place_of_another(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let id = ann.client_id.to_string();
        assert_eq!(site.upload(&id, photos().of(1, 0)).await.code(), 1010);
        let bob = site.client("bob@example.com").await.to_string();
        assert_eq!(site.upload(&bob, photos().of(1, 0)).await.code(), 0);
        assert_eq!(site.upload(&bob, photos().of(1, 1)).await.code(), 1010);
        let willing = app.site_with("b.example", |settings| settings.backend_replaces_face = true).await;
        let carol = willing.client("carol@example.com").await.to_string();
        assert_eq!(willing.upload(&carol, photos().of(1, 0)).await.code(), 0);
        assert_eq!(willing.upload(&carol, photos().of(0, 0)).await.code(), 0);
    }
}
