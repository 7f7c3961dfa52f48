use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Response, StatusCode, header::HeaderMap};
use server::pages::assets::Asset;
use sha2::{Digest, Sha384};
use testkit::{App, on_each_database};

const SCRIPT: &Asset = Asset::named("widget/facial-login.js");
const STYLE: &Asset = Asset::named("style/base.css");

async fn get(app: &App, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let mut request = reqwest::Client::new().get(format!("{}{path}", app.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

on_each_database! {
    async fn the_widget_is_served_to_every_site_under_two_names(app: App) {
        for (path, caching) in [
            (SCRIPT.path().as_str(), "public, max-age=31536000, immutable"),
            ("/widget/facial-login.js", "public, max-age=300, stale-while-revalidate=86400"),
        ] {
            let response = get(&app, path, &[("origin", "https://shop.example")]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let headers = response.headers().clone();
            for (name, value) in [
                ("cache-control", caching),
                ("content-type", "text/javascript"),
                ("access-control-allow-origin", "*"),
                ("cross-origin-resource-policy", "cross-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(header(&headers, name), value, "{path}: {name}");
            }
            let digest = BASE64_STANDARD.encode(Sha384::digest(response.bytes().await.unwrap()));
            assert_eq!(SCRIPT.integrity, format!("sha384-{digest}"));
        }
        let style = get(&app, "/widget/facial-login.css", &[]).await;
        assert_eq!(header(style.headers(), "content-type"), "text/css");
    }

    async fn the_pages_own_files_are_for_the_pages(app: App) {
        let response = get(&app, &STYLE.path(), &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(response.headers(), "cross-origin-resource-policy"), "same-origin");
        assert_eq!(header(response.headers(), "access-control-allow-origin"), "");
        for nothing in ["/style/base.css", "/assets/base.css", "/assets/manifest.json", "/assets/..%2fmanifest.json"] {
            let response = get(&app, nothing, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{nothing}");
            assert_eq!(header(response.headers(), "cache-control"), "no-store");
        }
    }

    async fn what_a_browser_has_is_not_sent_again(app: App) {
        let path = "/widget/facial-login.js";
        let plain = get(&app, path, &[]).await;
        let tag = header(plain.headers(), "etag").to_owned();
        let plain = plain.bytes().await.unwrap();
        let zipped = get(&app, path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(header(zipped.headers(), "content-encoding"), "gzip");
        assert_eq!(header(zipped.headers(), "vary"), "accept-encoding");
        let zipped_tag = header(zipped.headers(), "etag").to_owned();
        assert_ne!(zipped_tag, tag);
        assert!(zipped.bytes().await.unwrap().len() * 2 < plain.len());
        let again = get(&app, path, &[("if-none-match", &format!("\"old\", W/{tag}"))]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(again.headers(), "etag"), tag);
        assert_eq!(again.bytes().await.unwrap().len(), 0);
        let changed = get(&app, path, &[("if-none-match", "\"old\"")]).await;
        assert_eq!(changed.status(), StatusCode::OK);
    }
}
