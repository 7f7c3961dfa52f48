use std::collections::BTreeSet;

use reqwest::{Response, StatusCode};
use testkit::{App, on_each_database};

/// What Chromium asks for when a person opens an address.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

async fn open(app: &App, path: &str, accept: &str) -> Response {
    let request = reqwest::Client::new().get(format!("{}{path}", app.url));
    request.header("accept", accept).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The values of an attribute in a page.
fn values(page: &str, attribute: &str) -> BTreeSet<String> {
    page.split(&format!("{attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect()
}

on_each_database! {
    async fn the_first_page_says_what_runs_here_and_what_to_do(app: App) {
        let response = open(&app, "/", BROWSER).await;
        let policy = header(&response, "content-security-policy");
        for source in ["default-src 'none'", "style-src 'self'", "script-src 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(source), "{policy}");
        }
        let page = response.text().await.unwrap();
        assert!(page.contains("Axiam is running") && page.contains("axiam serve --demo"));
        assert!(page.contains("axiam site create") && page.contains("A first sign-on by hand"));
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<style"));
    }

    async fn there_is_no_demo_site_where_none_was_asked_for(app: App) {
        for path in ["/demo", "/demo/wait", "/demo/phone", "/demo/code.png"] {
            assert_eq!(open(&app, path, BROWSER).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert!(!open(&app, "/", BROWSER).await.text().await.unwrap().contains("href=\"/demo"));
    }

    async fn no_link_of_the_first_page_is_dead(app: App) {
        let page = open(&app, "/", BROWSER).await.text().await.unwrap();
        let links = values(&page, "href");
        assert!(links.len() >= 5, "{links:?}");
        for link in links.iter().filter(|link| !link.starts_with('#')) {
            assert_eq!(open(&app, link, "*/*").await.status(), StatusCode::OK, "{link}");
        }
    }

    async fn the_widgets_lines_can_be_pasted(app: App) {
        let page = open(&app, "/", BROWSER).await.text().await.unwrap();
        let lines = page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        let script = lines.split("<script ").nth(1).unwrap().split("</script>").next().unwrap();
        let address = values(script, "src").pop_first().unwrap();
        let integrity = values(script, "integrity").pop_first().unwrap();
        let path = address.strip_prefix(&app.url).unwrap();
        assert!(integrity.starts_with("sha384-"));
        assert_eq!(server::pages::assets::Asset::named("widget/facial-login.js").integrity, integrity);
        assert_eq!(header(&open(&app, path, "*/*").await, "content-type"), "text/javascript");
    }

    async fn a_browser_that_goes_astray_gets_a_page(app: App) {
        let response = open(&app, "/nowhere?token=<script>", BROWSER).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&response, "vary"), "accept");
        assert!(header(&response, "content-security-policy").contains("style-src 'self'"));
        let request = header(&response, "x-request-id").to_owned();
        let page = response.text().await.unwrap();
        assert!(page.contains("There is nothing here") && page.contains(&request));
        assert!(!page.contains("<script"));
    }

    async fn programs_keep_the_envelope(app: App) {
        for (path, accept) in [
            ("/nowhere", "*/*"),
            ("/nowhere", "application/json"),
            // A program that claims to be a browser, as Java's own client does.
            ("/api/v1/facial_sign_on/nowhere", BROWSER),
        ] {
            let response = open(&app, path, accept).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header(&response, "content-type"), "application/json", "{path}");
            assert!(header(&response, "content-security-policy").starts_with("default-src 'none'"));
        }
    }

    async fn a_page_is_not_opened_twice_over_plain_http_once_it_was_over_tls(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        for path in ["/", "/nowhere", "/health/live"] {
            let response = open(&app, path, BROWSER).await;
            assert_eq!(header(&response, "strict-transport-security"), "max-age=31536000", "{path}");
            assert_eq!(header(&response, "referrer-policy"), "same-origin", "{path}");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        }
    }

    async fn without_tls_browsers_are_not_told_to_insist_on_it(app: App) {
        assert_eq!(header(&open(&app, "/", BROWSER).await, "strict-transport-security"), "");
    }
}
