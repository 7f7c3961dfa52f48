use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use server::platform::code::Code;
use testkit::{App, on_each_database};

/// What a page may weigh, with its style sheets.
const HEAVIEST: usize = 60_000;

async fn text(app: &App, path: &str) -> String {
    let response = reqwest::get(format!("{}{path}", app.url)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.text().await.unwrap()
}

/// The values of an attribute in a page.
fn values(page: &str, attribute: &str) -> BTreeSet<String> {
    page.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect()
}

/// The addresses of all pages, as programs are told them.
async fn pages(app: &App) -> Vec<String> {
    let list = text(app, "/llms.txt").await;
    let lines = list.lines().filter_map(|line| line.strip_prefix("- ["));
    let links = lines.filter_map(|line| line.split_once("](")?.1.split_once(')'));
    links
        .filter_map(|(link, _)| link.strip_prefix(&app.url)?.strip_suffix(".md"))
        .map(str::to_owned)
        .collect()
}

on_each_database! {
    async fn every_page_is_light_and_strict_and_no_link_of_it_is_dead(app: App) {
        let mut paths = pages(&app).await;
        assert!(paths.len() > 15, "{paths:?}");
        paths.push("/docs".to_owned());
        paths.push("/docs/search?q=token".to_owned());
        let mut seen = BTreeMap::new();
        for path in paths {
            let response = reqwest::get(format!("{}{path}", app.url)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'none'"), "{policy}");
            let page = response.text().await.unwrap();
            for inline in ["<script", "<style", " style=", "javascript:"] {
                assert!(!page.contains(inline), "{path} has {inline}");
            }
            let styles = values(&page, "href").into_iter().filter(|link| link.ends_with(".css"));
            let mut weight = page.len();
            for style in styles {
                weight += text(&app, &style).await.len();
            }
            assert!(weight <= HEAVIEST, "{path} weighs {weight}");
            seen.insert(path, page);
        }
        let ids: BTreeMap<_, _> = seen.iter().map(|(path, page)| (path.clone(), values(page, "id"))).collect();
        let mut others = BTreeSet::new();
        for (path, page) in &seen {
            for link in values(page, "href") {
                let (target, fragment) = link.split_once('#').unwrap_or((&link, ""));
                let target = if target.is_empty() { path } else { target };
                if let Some(ids) = ids.get(target) {
                    assert!(fragment.is_empty() || ids.contains(fragment), "{path} leads to {link}");
                } else if target.starts_with('/') {
                    others.insert(target.to_owned());
                }
            }
        }
        for target in others {
            text(&app, &target).await;
        }
    }

    async fn each_page_is_there_as_markdown(app: App) {
        let response = reqwest::get(format!("{}/docs/widget.md", app.url)).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/markdown; charset=utf-8");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/widget.md");
        assert_eq!(response.text().await.unwrap(), std::fs::read_to_string(file).unwrap());
        for path in pages(&app).await {
            let page = text(&app, &format!("{path}.md")).await;
            let lines: Vec<_> = page.lines().collect();
            assert!(lines[0].starts_with("# ") && lines[1].is_empty(), "{path} begins with its title");
            assert!(lines[2].chars().next().is_some_and(|sign| sign.is_alphanumeric() || sign == '`'), "{path} says what it is");
        }
        for path in ["/docs/nothing", "/docs/nothing.md", "/docs/..%2fwidget"] {
            let answer = reqwest::get(format!("{}{path}", app.url)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    async fn the_search_finds_parts_of_pages(app: App) {
        let found = text(&app, "/docs/search?q=CLIENT_session_token").await;
        assert!(found.contains("href=\"/docs/api-sign-ons#post-login-validate_session\""), "{found}");
        let found = text(&app, "/docs/search?q=1040").await;
        let first = found.split("<ol class=\"docs-found\">").nth(1).unwrap();
        assert!(values(first, "href").contains("/docs/codes#1040"), "{first}");
        for words in ["%3Cscript%3E+%22zzz", "qqqqzzzz", "%00", "%F0%9F%98%80"] {
            let none = text(&app, &format!("/docs/search?q={words}")).await;
            assert!(!none.contains("<script") && !none.contains("docs-found"), "{words}");
        }
        assert!(text(&app, "/docs/search").await.contains("Type what you look for"));
    }

    async fn every_code_and_every_route_is_explained(app: App) {
        let codes = text(&app, "/docs/codes.md").await;
        for code in Code::ALL {
            let (number, status) = (code.number().to_string(), code.status().to_string());
            let section = codes.split("\n## ").find(|part| part.starts_with(&number));
            let section = section.unwrap_or_else(|| panic!("{number} is not explained"));
            let (heading, told) = section.split_once('\n').unwrap();
            assert!(heading.contains(code.slug()), "{heading}: {}", code.slug());
            assert!(told.trim_start().starts_with(&format!("Status {status}")), "{number} has status {status}");
        }
        let contract: serde_json::Value = serde_json::from_str(&text(&app, "/api/openapi.json").await).unwrap();
        let mut reference = String::new();
        for path in pages(&app).await.iter().filter(|path| path.starts_with("/docs/api-")) {
            reference += &text(&app, &format!("{path}.md")).await;
        }
        let mut routes = 0;
        for (path, item) in contract["paths"].as_object().unwrap() {
            let route = path.strip_prefix(server::app::API).unwrap_or(path);
            for method in item.as_object().unwrap().keys() {
                routes += 1;
                let heading = format!("\n## {} {route}\n", method.to_uppercase());
                assert_eq!(reference.matches(&heading).count(), 1, "{heading}");
            }
        }
        assert!(routes > 20, "{routes}");
    }
}
