//! The widget in a page of another origin: what a browser must be told, and what it must not.

use reqwest::{Response, header::HeaderMap};
use serde_json::json;
use testkit::{App, Backend, on_each_database};

const PAGE: &str = "https://www.shop.example:8443";

/// A browser's question before the request.
async fn preflight(site: &Backend, path: &str, method: &str, origin: &str) -> Response {
    site.with_token("")
        .request("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type",
        )
        .send()
        .await
        .unwrap()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn allowed(response: &Response) -> &str {
    header(response.headers(), "access-control-allow-origin")
}

on_each_database! {
    async fn what_the_widget_calls_is_open_to_pages(app: App) {
        let site = app.site("shop.example").await;
        for (path, method) in [
            ("/client/send_push", "POST"), ("/login/status", "GET"), ("/login/cancel", "POST"),
        ] {
            let response = preflight(&site, path, method, PAGE).await;
            assert_eq!(response.status(), 204, "{path}");
            assert_eq!(allowed(&response), PAGE);
            let headers = response.headers();
            assert_eq!(header(headers, "access-control-allow-methods"), method);
            let names = header(headers, "access-control-allow-headers").to_lowercase();
            assert!(names.contains("authorization") && names.contains("content-type"));
            assert_eq!(header(headers, "vary"), "Origin");
            assert!(!headers.contains_key("access-control-allow-credentials"));
        }
    }

    async fn a_page_of_the_site_reads_answers_and_failures(app: App) {
        let site = app.site("shop.example").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let push = |backend: &Backend| backend.request("POST", "/client/send_push")
            .header("Origin", PAGE)
            .json(&json!({ "email": "ann@example.com" }));
        for (backend, status) in [(&widget, 200), (&site.with_token("x"), 401)] {
            let response = push(backend).send().await.unwrap();
            assert_eq!((response.status().as_u16(), allowed(&response)), (status, PAGE));
            let varies = response.headers().get_all("vary");
            assert!(varies.iter().any(|name| name == "Origin"));
            assert!(header(response.headers(), "access-control-expose-headers").contains("Retry-After"));
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
        }
    }

    async fn a_page_of_another_site_gets_nothing(app: App) {
        let site = app.site("shop.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let token = site.token_of("widget").await;
        for origin in ["https://evil.example", "https://evilshop.example", "null", "https://shop.example.evil.example"] {
            let response = site.with_token(&token).request("POST", "/client/send_push")
                .header("Origin", origin)
                .json(&json!({ "email": "ann@example.com" }))
                .send().await.unwrap();
            assert_eq!((response.status().as_u16(), allowed(&response)), (403, ""), "{origin}");
        }
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
    }

    async fn the_owner_may_name_other_origins(app: App) {
        let site = app.site_with("shop.example", |settings| {
            *settings = settings.with("origins", "https://pay.example").unwrap();
        }).await;
        let token = site.token_of("widget").await;
        for (origin, status) in [("https://pay.example", 404), (PAGE, 403), ("http://pay.example", 403)] {
            let response = site.with_token(&token).request("GET", "/login/status?verification_token=vt_x")
                .header("Origin", origin)
                .send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{origin}");
        }
    }

    async fn every_other_route_stays_closed(app: App) {
        let site = app.site("shop.example").await;
        let contract: serde_json::Value = reqwest::get(format!("{}/api/openapi.json", app.url))
            .await.unwrap().json().await.unwrap();
        let mut open = Vec::new();
        for (path, item) in contract["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let response = reqwest::Client::new()
                    .request("OPTIONS".parse().unwrap(), format!("{}{path}", app.url))
                    .header("Origin", PAGE)
                    .header("Access-Control-Request-Method", method.to_uppercase())
                    .send().await.unwrap();
                if allowed(&response).is_empty() {
                    assert_eq!(response.status(), 405, "{path}");
                } else {
                    open.push(path.rsplit('/').next().unwrap().to_owned());
                }
            }
        }
        assert_eq!(open, ["send_push", "cancel", "status"]);
        let health = preflight(&site, "/../../../health/ready", "GET", PAGE).await;
        assert_eq!(allowed(&health), "");
    }
}
