//! What the tracker says of attempts: how long they took, which phone answered, which app they were at.

use chrono::Timelike;
use reqwest::StatusCode;
use serde_json::Value;
use server::{
    account::{self, Role},
    device,
    platform::clock::Clock,
};
use testkit::{App, Reaction, Receiver, on_each_database, photos};
use uuid::Uuid;

use super::{
    Visitor, make_account, signed_in,
    tracker::{attempts, lived, owner, verified_after},
};
use crate::{device_facial::count, web_push, webhooks::nearby};

/// Turns the clock to noon of the next day: what was asked before is over, and the day has only begun.
fn to_noon(app: &App) {
    let now = app.clock.now();
    app.clock
        .advance(86_400 + 43_200 - i64::from(now.num_seconds_from_midnight()));
}

/// The cells of a day in the table of the charts, the last one today's.
async fn days(visitor: &Visitor, base: &str) -> Vec<Vec<String>> {
    let page = visitor.get(base).await.text;
    let table = page.split("Attempts by day").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    let rows = table.split("<tr>").skip(2).map(|row| {
        let cells = row.split("class=\"figure\">").skip(1);
        cells
            .map(|cell| cell.split('<').next().unwrap().to_owned())
            .collect()
    });
    rows.collect()
}

on_each_database! {
    async fn how_long_verdicts_take_is_drawn_and_kept(app: App) {
        to_noon(&app);
        let root = owner(&app).await;
        let site = app.site("a.example").await;
        let base = format!("/dashboard/apps/{}", site.site_id);
        let ann = site.client("ann@example.com").await;
        verified_after(&app, &site, ann, 1, 8_400).await;
        verified_after(&app, &site, ann, 2, 12_600).await;
        let page = root.get(&base).await.text;
        let chart = page.split("Time to verified").nth(1).unwrap().split("</figure>").next().unwrap();
        assert!(chart.contains("<strong class=\"dash-big\">11 s</strong>") && chart.contains(": 11 s</title>"), "{chart}");
        assert_eq!(days(&root, &base).await[13].last().unwrap(), "11 s");
        app.clock.advance(86_400);
        let root = signed_in(&app, "root@example.com").await;
        for _ in 0..2 {
            let days = days(&root, &base).await;
            assert_eq!((days[12].last().unwrap().as_str(), days[13].last().unwrap().as_str()), ("11 s", "–"));
        }
        assert_eq!(count(&app, "select took as n from sign_on_tallies where state = 'verified'").await, 33_600);
        // A day that was counted before times were says nothing of them.
        let forget = "update sign_on_tallies set took = null";
        sea_orm::ConnectionTrait::execute_unprepared(&app.app.state.db, forget).await.unwrap();
        let day = days(&root, &base).await.swap_remove(12);
        assert_eq!((day[0].as_str(), day.last().unwrap().as_str()), ("3", "–"));
    }

    async fn reasons_stand_in_the_table(app: App) {
        let (root, site) = (owner(&app).await, lived(&app).await);
        let base = format!("/dashboard/apps/{}", site.site_id);
        let page = root.get(&base).await.text;
        for head in ["Failed", "at the face", "at liveness", "at the number", "Denied", "Expired", "Mean time"] {
            assert!(page.contains(&format!("scope=\"col\">{head}</th>")), "{head}");
        }
        let today = days(&root, &base).await.pop().unwrap();
        // Attempts, verified, failed; the three reasons; refused, unanswered.
        assert_eq!(today[..8].join(" "), "4 1 1 1 0 0 1 1");
    }

    async fn an_attempt_says_which_phone_answered_and_what_it_had_to_show(app: App, |settings| nearby(settings)) {
        let root = owner(&app).await;
        let service = Receiver::start().await;
        service.next([Reaction::Answer(201, None)]);
        let site = app.site_with("a.example", |settings| settings.test_mode = true).await;
        let ann = web_push::subscribed(&site, "ann@example.com", &service).await;
        let device = ann.phone.pairing().device_id;
        let paired = device::find(&app.app.state.db, site.site_id, device).await.unwrap();
        let name = paired.unwrap().name;
        site.push(ann.client_id).await;
        let sign_on = ann.waiting().await;
        let base = format!("/dashboard/apps/{}", site.site_id);
        let says = async || {
            let page = root.get(&format!("{base}?open={sign_on}")).await.text;
            let facts = page.split("<dt>Phone</dt>").nth(1).unwrap().split("<dt>Number</dt>").next().unwrap();
            facts.replace("<dd>", " ").replace("</dd>", " ")
        };
        let waits = says().await;
        assert!(waits.contains("none yet") && waits.contains("no scan was begun"), "{waits}");
        app.deliver().await;
        ann.phone.scan(sign_on, None, &[photos().of(0, 1)]).await.unwrap();
        let told = says().await;
        assert!(told.contains(&name) && told.contains("not asked for") && !told.contains("unpaired"), "{told}");
        let unpair = format!("{base}/clients/{}/devices/{device}/unpair", ann.client_id);
        assert_eq!(root.post(&unpair, &[]).await.status, StatusCode::SEE_OTHER);
        let told = says().await;
        assert!(told.contains(&name) && told.contains("unpaired <time"), "{told}");
        // A test identity has no phone, and is asked to show nothing.
        site.push(site.client("approve@example.test").await).await;
        app.clock.advance(1);
        app.app.sweep().await.unwrap();
        let file = root.get(&format!("{base}/sign-ons/ndjson")).await.text;
        let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |email: &str| lines.iter().find(|line| line["email"] == email).unwrap();
        let hers = of("ann@example.com");
        assert_eq!((&hers["device_id"], &hers["device"]), (&device.to_string().into(), &name.clone().into()));
        assert_eq!((&hers["liveness"], &hers["push"]), (&"off".into(), &"opened".into()));
        let test = of("approve@example.test");
        assert!(["device_id", "device", "liveness", "push"].iter().all(|cell| test[cell].is_null()), "{test}");
        let csv = root.get(&format!("{base}/sign-ons/csv?q=ann@example.com")).await.text;
        assert!(csv.lines().next().unwrap().ends_with(",test,device_id,device,liveness,push"), "{csv}");
        assert!(csv.lines().nth(1).unwrap().ends_with(&format!(",false,{device},{name},off,opened")), "{csv}");
    }

    async fn a_search_says_when_it_has_found_more_people_than_it_shows(app: App) {
        let root = owner(&app).await;
        let site = app.site("a.example").await;
        let base = format!("/dashboard/apps/{}", site.site_id);
        for number in 0..21 {
            let client = site.client(&format!("ann{number}@example.com")).await;
            attempts(&app, &site, client, 2).await;
        }
        let said = "Attempts of the first 20 people whose address or name begins so";
        assert!(root.get(&format!("{base}?q=ann")).await.text.contains(said));
        for all in ["?q=ann1", "", "?q=ann20@example.com"] {
            assert!(!root.get(&format!("{base}{all}")).await.text.contains(said), "{all}");
        }
        // A file has all of them, each once, in one order.
        let file = root.get(&format!("{base}/sign-ons/csv?q=ann")).await.text;
        let mut ids: Vec<&str> = file.lines().skip(1).map(|line| &line[..36]).collect();
        assert_eq!(ids.len(), 42);
        assert!(ids.is_sorted_by(|one, other| one > other), "of one moment, by id");
        ids.dedup();
        assert_eq!(ids.len(), 42);
    }

    async fn a_search_of_more_people_than_a_file_takes_is_refused(app: App) {
        let root = owner(&app).await;
        let site = app.site("a.example").await;
        let rows: Vec<String> = (0..1001).map(|number| format!("ann{number}@example.com")).collect();
        let many = format!("/dashboard/apps/{}/clients/many", site.site_id);
        let file = format!("email\n{}\n", rows.join("\n"));
        assert_eq!(root.post_file(&many, "file", file.as_bytes()).await.status, StatusCode::OK);
        let path = format!("/dashboard/apps/{}/sign-ons/csv", site.site_id);
        let refused = root.get(&format!("{path}?q=ann")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("More than 1000 people begin so"), "{}", refused.text);
        assert_eq!(root.get(&format!("{path}?q=ann10")).await.status, StatusCode::OK);
        assert_eq!(root.get(&path).await.status, StatusCode::OK);
    }

    async fn past_the_last_page_there_is_nothing_older(app: App) {
        let (root, site) = (owner(&app).await, lived(&app).await);
        let base = format!("/dashboard/apps/{}", site.site_id);
        let nobody = format!("0.{}", Uuid::nil());
        for (path, newest) in [
            (format!("{base}?after={nobody}"), format!("href=\"{base}?\"")),
            (format!("{base}?verdict=failed&after={nobody}"), format!("href=\"{base}?verdict=failed\"")),
            (format!("{base}/audit?before=1"), format!("href=\"{base}/audit\"")),
            ("/dashboard/audit?before=1".to_owned(), "href=\"/dashboard/audit\"".to_owned()),
        ] {
            let page = root.get(&path).await.text;
            assert!(page.contains("There is nothing older") && page.contains(&newest), "{path}: {page}");
            for wrong in ["No attempt matches", "Nobody has tried yet", "Nothing is recorded yet"] {
                assert!(!page.contains(wrong), "{path}: {wrong}");
            }
        }
    }

    async fn the_first_page_has_what_failed_on_all_apps_of_an_account(app: App) {
        let root = owner(&app).await;
        assert!(!root.get("/dashboard").await.text.contains("Failed lately"), "without apps nothing can fail");
        let empty = app.site("empty.example").await;
        assert!(root.get("/dashboard").await.text.contains("Nothing has failed in the last seven days"));
        let site = lived(&app).await;
        let other = app.site_with("b.example", |settings| settings.test_mode = true).await;
        other.push(other.client("deny@example.test").await).await;
        app.clock.advance(1);
        app.app.sweep().await.unwrap();
        let failures = async |visitor: &Visitor| {
            let page = visitor.get("/dashboard").await.text;
            let list = page.split("dash-failures").nth(1).map(|rest| rest.split("</ul>").next().unwrap().to_owned());
            list.unwrap_or_default()
        };
        let all = failures(&root).await;
        for said in ["at a.example", "at b.example", "wrong-face@example.test", "face did not match", "have them enrol again"] {
            assert!(all.contains(said), "{said}: {all}");
        }
        assert_eq!(all.matches("<li>").count(), 4);
        assert!(all.contains(&format!("/dashboard/apps/{}?open=", other.site_id)));
        assert!(!all.contains("approve@") && !all.contains("empty.example"));
        // Somebody with one app sees nothing of the others.
        let ann = make_account(&app, "ann@example.com", false).await;
        let state = &app.app.state;
        for at in [other.site_id, empty.site_id] {
            let by = account::By::Administrator;
            account::give_role(&state.db, &state.keys, (ann.id, at), (Role::Viewer, by), app.clock.now()).await.unwrap();
        }
        let hers = failures(&signed_in(&app, "ann@example.com").await).await;
        assert_eq!(hers.matches("<li>").count(), 1, "{hers}");
        assert!(hers.contains("at b.example") && !hers.contains(&site.site_id.to_string()));
        // Whoever types addresses that nobody has fails at nothing.
        app.clock.advance(86_400 * 8);
        assert!(!failures(&signed_in(&app, "root@example.com").await).await.contains("<li>"), "that was long ago");
    }
}
