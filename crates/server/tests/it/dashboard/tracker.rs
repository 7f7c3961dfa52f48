use std::collections::BTreeSet;

use chrono::Timelike;
use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, Statement};
use testkit::{App, Backend, Reaction, Receiver, on_each_database};
use uuid::Uuid;

use super::{Visitor, make_account, signed_in};
use crate::{device_facial::count, web_push, webhooks::nearby};

pub(super) async fn owner(app: &App) -> Visitor {
    make_account(app, "root@example.com", true).await;
    signed_in(app, "root@example.com").await
}

/// Attempts as they come about: each verdict once, through the real routes.
pub(super) async fn lived(app: &App) -> Backend {
    let site = app
        .site_with("a.example", |settings| settings.test_mode = true)
        .await;
    for who in ["approve", "deny", "wrong-face", "expire"] {
        let email = format!("{who}@example.test");
        let id = site.client(&email).await;
        site.push(id).await;
    }
    app.clock.advance(1);
    app.app.sweep().await.unwrap();
    site
}

/// So many attempts at one moment, straight into the table.
pub(super) async fn attempts(app: &App, site: &Backend, client: Uuid, how_many: usize) {
    verified_after(app, site, client, how_many, 0).await;
}

/// The same, verified after so many milliseconds.
pub(super) async fn verified_after(
    app: &App,
    site: &Backend,
    client: Uuid,
    how_many: usize,
    took: i64,
) {
    let now = server::platform::clock::Clock::now(&*app.clock);
    let db = &app.app.state.db;
    for _ in 0..how_many {
        let row = Statement::from_sql_and_values(
            db.get_database_backend(),
            "insert into sign_ons (id, site_id, client_id, token_hash, state, tries_left, choices, ip, user_agent, browser, os, place, created_at, expires_at, decided_at) \
             values ($1, $2, $3, $4, 'verified', 3, '[]', '192.0.2.7', '', '', '', '', $5, $5, $6)",
            [
                Uuid::new_v4().into(),
                site.site_id.into(),
                client.into(),
                Uuid::new_v4().as_bytes().to_vec().into(),
                now.into(),
                (now + chrono::TimeDelta::milliseconds(took)).into(),
            ],
        );
        db.execute_raw(row).await.unwrap();
    }
}

/// Which version of a page this is.
pub(super) fn version(page: &str) -> &str {
    page.split("data-version=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
}

/// The ids of the attempts that a page lists.
fn ids(page: &str) -> Vec<String> {
    let links = page
        .split("open=")
        .skip(1)
        .filter(|rest| rest[36..].starts_with("#open"));
    links.map(|rest| rest[..36].to_owned()).collect()
}

on_each_database! {
    async fn the_page_says_when_something_has_changed(app: App) {
        let site = lived(&app).await;
        let owner = owner(&app).await;
        let path = format!("/dashboard/apps/{}", site.site_id);
        for query in ["", "?verdict=failed", "?q=deny@"] {
            let at = format!("{path}{query}");
            let page = owner.get(&at).await.text;
            let shown = version(&page);
            let same = owner.watch(&at, shown).await;
            assert_eq!((same.status, same.text.as_str()), (StatusCode::NO_CONTENT, ""), "{query}");
            assert_eq!(owner.watch(&at, "other").await.status, StatusCode::OK);
        }
        let first = owner.get(&path).await.text;
        let bob = site.client("bob@example.com").await;
        attempts(&app, &site, bob, 1).await;
        let next = owner.watch(&path, version(&first)).await;
        assert_eq!(next.status, StatusCode::OK);
        assert_ne!(version(&next.text), version(&first));
        // Also of what stands far down: the verdict of the oldest row of the page.
        attempts(&app, &site, bob, 40).await;
        let full = owner.get(&path).await.text;
        let verdict = "update sign_ons set state = 'failed', failure = 1037 where test_identity = 'approve'";
        app.app.state.db.execute_unprepared(verdict).await.unwrap();
        assert_eq!(owner.watch(&path, version(&full)).await.status, StatusCode::OK);
        let older = owner.get(&format!("{path}?after=0.{}", Uuid::nil())).await.text;
        assert!(!older.contains("data-version"), "further pages stay as they are");
    }

    async fn watching_makes_no_session_last(app: App, |settings| (settings.session.idle, settings.session.longest) = (1000, 9000)) {
        let site = lived(&app).await;
        let owner = owner(&app).await;
        let path = format!("/dashboard/apps/{}", site.site_id);
        for _ in 0..3 {
            app.clock.advance(400);
            let asked = owner.watch(&path, "none").await;
            assert!(asked.status == StatusCode::OK || asked.location.contains("sign-in"), "{asked:?}");
        }
        assert!(owner.watch(&path, "none").await.location.contains("sign-in"));
        let again = signed_in(&app, "root@example.com").await;
        for _ in 0..3 {
            app.clock.advance(400);
            assert_eq!(again.get(&path).await.status, StatusCode::OK, "a person's visits do");
        }
    }

    async fn a_site_begins_empty_and_then_says_what_failed_and_what_to_do(app: App) {
        let root = owner(&app).await;
        let empty = app.site("b.example").await;
        let page = root.get(&format!("/dashboard/apps/{}", empty.site_id)).await.text;
        assert!(page.contains("Nobody has tried yet") && page.contains("Lines for your site"));
        let site = lived(&app).await;
        let page = root.get(&format!("/dashboard/apps/{}", site.site_id)).await.text;
        let failures = page.split("dash-failures").nth(1).unwrap().split("</ul>").next().unwrap();
        for said in ["wrong-face@example.test", "face did not match", "have them enrol again", "refused on the phone", "nobody answered"] {
            assert!(failures.contains(said), "{said}: {failures}");
        }
        assert!(!failures.contains("approve@"));
        for said in ["<strong class=\"dash-big\">4</strong>", "<strong class=\"dash-big\">25 %</strong>"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let attempts = page.split("id=\"attempts\"").nth(1).unwrap();
        assert_eq!(ids(attempts).len(), 4);
    }

    async fn an_attempt_says_which_phones_were_told_and_how_far_that_came(app: App, |settings| nearby(settings)) {
        let root = owner(&app).await;
        let service = Receiver::start().await;
        service.next([Reaction::Answer(503, None)]);
        let site = app.site("a.example").await;
        let ann = web_push::subscribed(&site, "ann@example.com", &service).await;
        site.push(ann.client_id).await;
        let sign_on = ann.waiting().await;
        let told = async || {
            let page = root.get(&format!("/dashboard/apps/{}?open={sign_on}", site.site_id)).await.text;
            let told = page.split("browser (Web Push): ").nth(1).unwrap().split('<').next().unwrap().to_owned();
            let words = told.split(", ").map(|part| part.split(' ').next().unwrap().to_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told().await, "not");
        let open = format!("/dashboard/apps/{}?open={sign_on}", site.site_id);
        let before = root.get(&open).await.text;
        assert_eq!(root.watch(&open, version(&before)).await.status, StatusCode::NO_CONTENT);
        app.deliver().await;
        // Whoever looks at it sees that without loading the page again.
        assert_eq!(root.watch(&open, version(&before)).await.status, StatusCode::OK);
        assert_eq!(told().await, "not 503");
        app.clock.advance(1);
        app.deliver().await;
        assert_eq!(told().await, "sent");
        let shown = serde_json::json!({ "sign_on_id": sign_on });
        ann.phone.call("/login/shown", &shown).await.unwrap();
        assert_eq!(told().await, "sent shown");
        ann.phone.deny(sign_on, false).await.unwrap();
        assert_eq!(told().await, "sent shown opened");
    }

    async fn filters_stand_in_the_address(app: App) {
        let (root, site) = (owner(&app).await, lived(&app).await);
        let base = format!("/dashboard/apps/{}", site.site_id);
        let listed = async |query: &str| {
            let page = root.get(&format!("{base}?{query}")).await.text;
            let rows = page.split("id=\"attempts\"").nth(1).unwrap().to_owned();
            let mut who: Vec<&str> = ["approve", "deny", "wrong-face", "expire"]
                .into_iter()
                .filter(|who| rows.contains(&format!("{who}@example.test</a>")))
                .collect();
            who.sort_unstable();
            assert_eq!(who.len(), ids(&rows).len(), "{query}");
            who.join(" ")
        };
        for (query, who) in [
            ("verdict=verified", "approve"),
            ("verdict=failed,denied", "deny wrong-face"),
            ("reason=face", "wrong-face"),
            ("reason=number", ""),
            ("verdict=verified&reason=face", ""),
            ("days=1", "approve deny expire wrong-face"),
            ("q=Wrong", "wrong-face"),
            ("q=deny@example.test", "deny"),
            ("q=192.0.2.7", ""),
            ("q=example.test", ""),
            ("q=ex&verdict=expired", "expire"),
            ("q=ex&verdict=failed", ""),
            ("q=%00%27%22%3Cscript%3E", ""),
            ("verdict=nonsense&reason=nonsense&days=x&after=y&open=z", "approve deny expire wrong-face"),
        ] {
            assert_eq!(listed(query).await, who, "{query}");
        }
        let page = root.get(&format!("{base}?verdict=failed")).await.text;
        assert!(page.contains("aria-current=\"true\">failed</a>") && page.contains("?verdict=failed%2Cdenied\""));
        let id = ids(&page).pop().unwrap();
        assert_eq!(listed(&format!("q={id}")).await, "wrong-face");
        let open = root.get(&format!("{base}?open={id}")).await.text;
        assert!(open.contains("id=\"open\"") && open.contains("not redeemed") && open.contains(&id));
    }

    async fn pages_have_every_attempt_once_though_all_are_of_one_moment(app: App) {
        let root = owner(&app).await;
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        attempts(&app, &site, ann, 120).await;
        for query in ["", "verdict=verified,failed&", "q=ann&", "q=192.0.2.7&"] {
            let mut next = Some(format!("/dashboard/apps/{}?{query}", site.site_id));
            let (mut seen, mut pages) = (Vec::new(), 0);
            while let Some(path) = next {
                let page = root.get(&path).await.text;
                seen.extend(ids(&page));
                pages += 1;
                next = page.split("rel=\"next\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&"));
            }
            assert_eq!((pages, seen.len()), (3, 120), "{query}");
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120, "{query}");
        }
    }

    async fn another_sites_attempts_are_nobodys(app: App) {
        let (root, site) = (owner(&app).await, lived(&app).await);
        let page = root.get(&format!("/dashboard/apps/{}", site.site_id)).await.text;
        let theirs = ids(&page).pop().unwrap();
        let other = app.site("b.example").await;
        let bob = other.client("bob@example.com").await;
        attempts(&app, &other, bob, 1).await;
        let base = format!("/dashboard/apps/{}", other.site_id);
        for query in [format!("open={theirs}"), format!("q={theirs}"), "q=approve@example.test".into(), "q=wrong".into()] {
            let page = root.get(&format!("{base}?{query}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.text.contains("example.test</") && !page.text.contains("id=\"open\""), "{query}");
        }
    }

    async fn attempts_are_taken_out_as_a_file(app: App) {
        let (root, site) = (owner(&app).await, lived(&app).await);
        let eve = site.client("=cmd@example.com").await;
        attempts(&app, &site, eve, 1).await;
        let base = format!("/dashboard/apps/{}/sign-ons", site.site_id);
        let csv = root.get(&format!("{base}/csv")).await.text;
        let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 6, "{csv}");
        assert!(lines[0].starts_with("sign_on_id,client_id,email,verdict,reason,"));
        assert!(csv.contains(",'=cmd@example.com,verified,,"), "no formula: {csv}");
        assert!(csv.contains(",wrong-face@example.test,failed,face,"));
        let ndjson = root.get(&format!("{base}/ndjson?verdict=denied")).await.text;
        let line: serde_json::Value = serde_json::from_str(ndjson.trim_end()).unwrap();
        assert_eq!((&line["email"], &line["verdict"], &line["test"]), (&"deny@example.test".into(), &"denied".into(), &true.into()));
        // More than one batch.
        let ann = site.client("ann@example.com").await;
        attempts(&app, &site, ann, 2100).await;
        let csv = root.get(&format!("{base}/csv?q=ann@example.com")).await.text;
        let ids: BTreeSet<&str> = csv.lines().skip(1).map(|line| &line[..36]).collect();
        assert_eq!(ids.len(), 2100);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'data_exported'").await, 3);
    }

    async fn a_day_is_counted_once_and_says_the_same_afterwards(app: App) {
        // Soon after midnight the day before is not over yet: attempts of it may still be open.
        let now = server::platform::clock::Clock::now(&*app.clock);
        app.clock.advance(86_400 + 43_200 - i64::from(now.num_seconds_from_midnight()));
        let (root, site) = (owner(&app).await, lived(&app).await);
        let base = format!("/dashboard/apps/{}", site.site_id);
        let days = async || {
            let page = root.get(&base).await.text;
            let table = page.split("Attempts by day").nth(1).unwrap().split("</table>").next().unwrap().to_owned();
            let rows = table.split("<tr>").skip(2).map(|row| {
                let cells = row.split("class=\"figure\">").skip(1);
                cells.map(|cell| cell.split('<').next().unwrap().to_owned()).take(8).collect::<Vec<_>>().join(" ")
            });
            rows.collect::<Vec<_>>()
        };
        let counted = "select count(*) as n from sign_on_tallies where state = 'all'";
        let today = days().await;
        assert_eq!((today.len(), today[13].as_str()), (14, "4 1 1 1 0 0 1 1"));
        assert_eq!(count(&app, counted).await, 13, "today is not over");
        app.clock.advance(86_400);
        root.get("/dashboard/sign-in").await;
        let root = signed_in(&app, "root@example.com").await;
        let later = async || root.get(&base).await;
        later().await;
        later().await;
        assert_eq!(count(&app, counted).await, 14);
        // Whoever is erased was counted all the same.
        let all = "select count as n from sign_on_tallies where state = 'all' and count > 0";
        assert_eq!(count(&app, all).await, 4);
    }
}
