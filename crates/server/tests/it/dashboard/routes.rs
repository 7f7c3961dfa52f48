//! Every route of the dashboard, tried by everybody who may not use it. A new one that forgot its guard fails here.

use reqwest::{Method, StatusCode};
use server::{
    account::{self, Role},
    app,
    pages::dashboard::Need,
    platform::clock::Clock,
};
use testkit::{App, on_each_database};
use uuid::Uuid;

use super::{
    Visitor, make_account, signed_in,
    tracker::{attempts, lived, owner},
};

/// What a first page may weigh, with its styles and its script.
const HEAVIEST: usize = 60_000;

/// A path with the site's id in it, and with ids of nothing for what else it names.
fn filled(path: &str, site: Uuid) -> String {
    let parts = path.split('/').map(|part| match part {
        "{site}" => site.to_string(),
        part if part.starts_with('{') => Uuid::new_v4().to_string(),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn call(visitor: &Visitor, method: &Method, path: &str) -> super::visitor::Seen {
    match *method {
        Method::GET => visitor.get(path).await,
        _ => visitor.post(path, &[]).await,
    }
}

/// A browser for each kind of person, the one of the other site's owner last.
async fn people(app: &App, site: Uuid, other: Uuid) -> Vec<(Option<Role>, Visitor)> {
    let state = &app.app.state;
    let mut people = Vec::new();
    let roles = Role::ALL.map(|role| (Some(role), site));
    for (role, at) in roles.into_iter().chain([(None, other)]) {
        let email = format!("{}@example.com", role.map_or("other", Role::as_str));
        let account = make_account(app, &email, false).await;
        let given = role.unwrap_or(Role::Owner);
        let now = app.clock.now();
        account::give_role(
            &state.db,
            &state.keys,
            (account.id, at),
            (given, account::By::Administrator),
            now,
        )
        .await
        .unwrap();
        people.push((role, signed_in(app, &email).await));
    }
    people
}

fn role(need: Need) -> Option<Role> {
    match need {
        Need::Nobody | Need::Account | Need::Administrator => None,
        Need::Viewer => Some(Role::Viewer),
        Need::Operator => Some(Role::Operator),
        Need::Owner => Some(Role::Owner),
    }
}

on_each_database! {
    async fn every_route_asks_who_it_is(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let people = people(&app, site.site_id, other.site_id).await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let stranger = Visitor::new(&app);
        let table = app::dashboard().table().to_vec();
        assert!(table.len() > 25);
        for route in table {
            let path = filled(route.path, site.site_id);
            let what = format!("{} {}", route.method, route.path);
            assert_eq!(route.path.contains("{site}"), role(route.need).is_some(), "{what}: who is asked fits the path");
            for cookie in [None, Some("axiam_session=AAAAAAAAAAAAAAAAAAAAAA".to_owned())] {
                stranger.hold(cookie);
                let seen = call(&stranger, &route.method, &path).await;
                let is_sent = seen.location.starts_with("/dashboard/sign-in?");
                let is_first = route.need == Need::Nobody;
                assert_eq!(is_sent, !is_first, "{what}: {seen:?}");
                assert!(is_first || seen.text.is_empty(), "{what} shows something to a stranger");
            }
            if route.need == Need::Administrator {
                let seen = call(&root, &route.method, &path).await;
                assert_eq!(seen.status, StatusCode::OK, "{what}: {seen:?}");
            }
            for (has, visitor) in &people {
                let seen = call(visitor, &route.method, &path).await;
                if route.need == Need::Administrator {
                    assert_eq!(seen.status, StatusCode::FORBIDDEN, "{what}: {has:?}");
                }
                let Some(wanted) = role(route.need) else { continue };
                match has {
                    None => assert_eq!(seen.status, StatusCode::NOT_FOUND, "{what}: of another site"),
                    Some(has) if *has < wanted => assert_eq!(seen.status, StatusCode::FORBIDDEN, "{what}: {has:?}"),
                    Some(has) => {
                        let refused = [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED, StatusCode::METHOD_NOT_ALLOWED];
                        assert!(!refused.contains(&seen.status) && !seen.status.is_server_error(), "{what}: {has:?}: {seen:?}");
                        assert!(!seen.location.contains("sign-in"), "{what}: {has:?}: {seen:?}");
                    }
                }
            }
            if route.path == "/dashboard/sign-out" {
                for (has, visitor) in &people {
                    assert_eq!(visitor.cookie(), None);
                    let email = format!("{}@example.com", has.map_or("other", Role::as_str));
                    visitor.hold(signed_in(&app, &email).await.cookie());
                }
            }
        }
    }

    async fn what_another_site_sends_is_refused_everywhere(app: App) {
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let visitor = signed_in(&app, "root@example.com").await;
        for route in app::dashboard().table() {
            if route.method == Method::POST {
                let path = filled(route.path, site.site_id);
                let seen = visitor.post_from_elsewhere(&path, &[]).await;
                assert_eq!(seen.status, StatusCode::FORBIDDEN, "{}", route.path);
            }
        }
        assert_eq!(visitor.get("/dashboard").await.status, StatusCode::OK);
    }

    async fn every_page_is_light_and_strict(app: App) {
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let (owner, stranger) = (signed_in(&app, "root@example.com").await, Visitor::new(&app));
        let mut pages = 0;
        for route in app::dashboard().table() {
            let visitor = if route.need == Need::Nobody { &stranger } else { &owner };
            if route.method != Method::GET {
                continue;
            }
            let path = filled(route.path, site.site_id);
            let seen = visitor.get(&path).await;
            if seen.status != StatusCode::OK || !seen.text.starts_with("<!doctype") {
                continue;
            }
            pages += 1;
            let fetches = if seen.text.contains(" id=\"live\"") { "connect-src 'self'" } else { "connect-src 'none'" };
            for source in ["default-src 'none'", "style-src 'self'", "script-src 'self'", fetches, "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(seen.policy.contains(source), "{path}: {}", seen.policy);
            }
            for inline in ["<style", " style=", "javascript:", " onclick=", "<script>"] {
                assert!(!seen.text.contains(inline), "{path} has {inline}");
            }
            let mut weight = seen.text.len();
            for file in seen.text.split('"').filter(|text| text.starts_with("/assets/")) {
                weight += visitor.get(file).await.text.len();
            }
            assert!(weight <= HEAVIEST, "{path} weighs {weight}");
        }
        assert!(pages > 8, "{pages}");
    }

    async fn a_full_tracker_is_light_too(app: App) {
        let site = lived(&app).await;
        let root = owner(&app).await;
        for person in 0..10 {
            let email = format!("a.person.with.quite.a.name.{person}@departments.example.com");
            let client = site.client(&email).await;
            attempts(&app, &site, client, 6).await;
        }
        let path = format!("/dashboard/apps/{}", site.site_id);
        let page = root.get(&path).await.text;
        assert_eq!(page.matches("#open\"").count(), 50 + 3);
        assert_eq!(page.matches("<svg class=\"dash-chart\"").count(), 3);
        let mut weight = root.weigh(&path).await;
        for file in page.split('"').filter(|text| text.starts_with("/assets/")) {
            weight += root.weigh(file).await;
        }
        assert!(weight <= HEAVIEST, "{path} weighs {weight}, itself {}", page.len());
    }
}

/// What is not in the table is not tried above.
#[test]
fn the_table_has_every_route() {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text: String = std::fs::read_to_string(&path)
                    .unwrap()
                    .split_whitespace()
                    .collect();
                if text.contains(".route(\"/dashboard") {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut found,
    );
    assert_eq!(
        found,
        Vec::<String>::new(),
        "routes of the dashboard are added by `Routes`"
    );
}
