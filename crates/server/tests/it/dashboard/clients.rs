use reqwest::StatusCode;
use serde_json::json;
use testkit::{App, Backend, on_each_database};

use super::{Visitor, make_account, signed_in};
use crate::device_facial::count;

/// An operator's browser, a site, and the site's address in the dashboard.
async fn operator(app: &App) -> (Visitor, Backend, String) {
    let site = app.site("a.example").await;
    let ann = make_account(app, "op@example.com", false).await;
    let state = &app.app.state;
    let now = server::platform::clock::Clock::now(&*app.clock);
    let role = server::account::Role::Operator;
    server::account::give_role(
        &state.db,
        &state.keys,
        (ann.id, site.site_id),
        (role, server::account::By::Administrator),
        now,
    )
    .await
    .unwrap();
    let base = format!("/dashboard/apps/{}", site.site_id);
    (signed_in(app, "op@example.com").await, site, base)
}

on_each_database! {
    async fn somebody_is_made_known_found_and_looked_at(app: App) {
        let (op, site, base) = operator(&app).await;
        let all = format!("{base}/clients");
        assert!(op.get(&all).await.text.contains("Nobody is known yet"));
        let wrong = op.post(&all, &[("email", "nonsense"), ("full_name", "Zoë Example")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("value=\"nonsense\"") && wrong.text.contains("value=\"Zoë Example\""));
        let made = op.post(&all, &[("email", "zoe@example.com"), ("full_name", "Zoë Example")]).await;
        let page = op.get(&made.location).await.text;
        assert!(page.contains("They are known now") && page.contains("No phone is paired yet"));
        let again = op.post(&all, &[("email", "Zoe@example.com")]).await;
        assert_eq!(again.location, made.location);
        site.client("other@example.com").await;
        let id = made.location.rsplit('/').next().unwrap();
        for (q, is_there) in [("zo", true), ("ZOE@", true), ("zoe%CC%88", true), ("Zo%C3%AB+ex", true), (id, true), ("example", false), ("oe", false), ("%25", false), ("%00", false)] {
            let found = op.get(&format!("{all}?q={q}")).await.text;
            assert_eq!(found.contains("zoe@example.com</a>"), is_there, "{q}");
        }
    }

    async fn pages_of_people_have_everybody_once(app: App) {
        let (op, site, base) = operator(&app).await;
        for number in 0..60 {
            site.client(&format!("c{number}@example.com")).await;
        }
        let first = op.get(&format!("{base}/clients")).await.text;
        let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let second = op.get(&next).await.text;
        for number in 0..60 {
            let link = format!(">c{number}@example.com</a>");
            assert!(first.contains(&link) != second.contains(&link), "{number}");
        }
        assert!(!second.contains("rel=\"next\""));
    }

    async fn a_file_makes_many_known_and_everybody_is_taken_out(app: App) {
        let (op, site, base) = operator(&app).await;
        site.client("ann@example.com").await;
        let many = format!("{base}/clients/many");
        assert!(op.get(&many).await.text.contains("type=\"file\""));
        let wrong = op.post_file(&many, "file", b"bob@example.com\nnonsense\n").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("Line 2: \u{201c}nonsense\u{201d} is not an e-mail address"), "{}", wrong.text);
        for (name, file) in [("file", &b""[..]), ("other", b"bob@example.com"), ("file", &[0xff; 40]), ("file", &[b'a'; 1_100_000])] {
            let refused = op.post_file(&many, name, file).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        }
        assert_eq!(op.post(&many, &[("file", "bob@example.com")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut file = "Name;E-Mail\n=cmd();ann@example.com\n".to_owned();
        for number in 0..70 {
            file.push_str(&format!("=1+{number};p{number}@example.com\n"));
        }
        let made = op.post_file(&many, "file", file.as_bytes()).await;
        assert_eq!(made.status, StatusCode::OK);
        assert!(made.text.contains("70 people are known now.") && made.text.contains("1 was known before"), "{}", made.text);
        let again = op.post_file(&many, "file", file.as_bytes()).await;
        assert!(again.text.contains("0 people are known now.") && again.text.contains("71 were known before"));
        let csv = op.get(&format!("{base}/clients/csv")).await.text;
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "client_id,email,full_name,known_since,failures,locked");
        assert_eq!(lines.len(), 72);
        assert!(csv.contains(",p7@example.com,'=1+7,") && csv.contains(",ann@example.com,Ann Example,"), "{csv}");
        let ndjson = op.get(&format!("{base}/clients/ndjson")).await.text;
        let people: Vec<serde_json::Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(people.len(), 71);
        assert_eq!(count(&app, "select count(*) as n from clients").await, 71);
    }

    async fn a_code_pairs_a_phone_which_is_seen_and_unpaired(app: App) {
        let (op, site, base) = operator(&app).await;
        let client = site.client("ann@example.com").await;
        let own = format!("{base}/clients/{client}");
        let page = op.post(&format!("{own}/code"), &[("flow_type", "signup")]).await;
        assert!(page.text.contains("<path fill=\"black\" d=\"M4 4h7v1h-7z"), "the finder's upper edge");
        let link = page.element("key-enrolment-link");
        let follow = page.text.split("data-follow=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        assert!(page.policy.contains("connect-src 'self'") && op.get(&follow).await.text.contains("for their phone"));
        let phone = site.try_pair(&link).await.unwrap();
        let paired = op.watch(&follow, "").await.text;
        assert!(paired.contains(">paired</span>") && paired.contains("They enrol their face on the phone now"), "{paired}");
        let seen = op.get(&own).await.text;
        assert!(seen.contains("on trial") && seen.contains("none yet"), "{seen}");
        let device = phone.pairing().device_id;
        let path = format!("{own}/devices/{device}/unpair");
        assert_eq!(op.post(&path, &[]).await.location, own);
        assert!(op.get(&own).await.text.contains("The phone is unpaired"));
        assert_eq!(op.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    }

    async fn the_page_of_a_code_says_when_another_face_is_enrolled_and_when_the_code_is_over(app: App) {
        let (op, site, base) = operator(&app).await;
        let ann = site.enrolled("ann@example.com").await;
        let own = format!("{base}/clients/{}", ann.client_id);
        let shown = async || {
            let page = op.post(&format!("{own}/code"), &[("flow_type", "signup")]).await;
            let follow = page.text.split("data-follow=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
            (page.element("key-enrolment-link"), follow)
        };
        app.clock.advance(1);
        let (link, follow) = shown().await;
        let phone = site.try_pair(&link).await.unwrap();
        let paired = op.get(&follow).await.text;
        assert!(paired.contains(">paired</span>") && paired.contains("They enrol their face on the phone now"), "{paired}");
        phone.enrol(&[testkit::photos().of(0, 1)]).await.unwrap();
        assert!(op.get(&follow).await.text.contains("Their face is enrolled"));
        let seen = op.get(&own).await.text;
        assert!(seen.contains("<dt>Consent</dt><dd>to text "), "{seen}");
        app.clock.advance(1);
        let (_, follow) = shown().await;
        assert!(op.get(&follow).await.text.contains("for their phone"));
        app.clock.advance(601);
        let over = op.get(&follow).await.text;
        assert!(over.contains("Nobody paired by this code in time") && over.contains(&own), "{over}");
    }

    async fn a_lock_is_seen_and_taken_away(app: App, |settings| settings.lock.permanent_after = 1) {
        let (op, site, base) = operator(&app).await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[testkit::photos().of(1, 0)]).await.unwrap_err();
        let own = format!("{base}/clients/{}", ann.client_id);
        assert!(op.get(&own).await.text.contains("Locked out"));
        assert!(op.get(&format!("{base}/clients?q=ann")).await.text.contains("chip bad\">locked"));
        op.post(&format!("{own}/unlock"), &[]).await;
        assert!(!op.get(&own).await.text.contains("Locked out"));
        site.push(ann.client_id).await;
    }

    async fn whoever_is_erased_is_gone_with_a_receipt(app: App) {
        let (op, site, base) = operator(&app).await;
        let ann = site.paired("ann@example.com").await;
        let own = format!("{base}/clients/{}", ann.client_id);
        let erase = format!("{own}/erase");
        assert_eq!(op.post(&erase, &[("email", "bob@example.com")]).await.location, own);
        let said = op.get(&own).await.text;
        assert!(said.contains("Nothing was erased") && said.contains("notice bad"), "{said}");
        let receipt = op.post(&erase, &[("email", "ann@example.com")]).await;
        let signed = receipt.element("lines-receipt");
        assert_eq!(signed.split('.').count(), 3, "{signed}");
        assert_eq!(op.get(&own).await.status, StatusCode::NOT_FOUND);
        assert_eq!(op.post(&erase, &[("email", "ann@example.com")]).await.status, StatusCode::NOT_FOUND);
        let looked = site.post("/login/lookup_client", &json!({ "email": "ann@example.com" })).await;
        assert_eq!(looked.code(), 1007);
    }

    async fn people_of_another_site_are_nobody(app: App) {
        let (op, _, base) = operator(&app).await;
        let other = app.site("b.example").await;
        let bob = other.paired("bob@example.com").await;
        let device = bob.phone.pairing().device_id;
        let own = format!("{base}/clients/{}", bob.client_id);
        assert_eq!(op.get(&own).await.status, StatusCode::NOT_FOUND);
        for (what, form) in [
            ("unlock".to_owned(), ("x", "y")),
            ("code".to_owned(), ("flow_type", "login")),
            ("erase".to_owned(), ("email", "bob@example.com")),
            (format!("devices/{device}/unpair"), ("x", "y")),
            (format!("devices/{device}/confirm"), ("x", "y")),
        ] {
            assert_eq!(op.post(&format!("{own}/{what}"), &[form]).await.status, StatusCode::NOT_FOUND, "{what}");
        }
        for q in ["bob".to_owned(), bob.client_id.to_string()] {
            assert!(!op.get(&format!("{base}/clients?q={q}")).await.text.contains("bob@example.com</a>"));
        }
        let shown = other.get(&format!("/client/{}", bob.client_id)).await;
        assert_eq!(shown.data()["devices"].as_array().unwrap().len(), 1);
    }

    async fn the_log_is_read_checked_and_taken_out(app: App) {
        let (op, site, base) = operator(&app).await;
        for number in 0..60 {
            site.client(&format!("c{number}@example.com")).await;
        }
        let own = op.post(&format!("{base}/clients"), &[("email", "ann@example.com")]).await;
        let page = op.get(&format!("{base}/audit")).await.text;
        assert!(page.contains("client created") && page.contains("op@example.com"), "who did it is named");
        assert!(page.contains(&own.location));
        let next = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(op.get(&next).await.text.contains("site created"));
        assert!(op.post(&format!("{base}/audit/check"), &[]).await.text.contains("The chain is intact"));
        let ndjson = op.get(&format!("{base}/audit/ndjson")).await.text;
        let lines: Vec<serde_json::Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let numbers: Vec<i64> = lines.iter().map(|line| line["line"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=i64::try_from(lines.len()).unwrap()).collect::<Vec<_>>());
        let csv = op.get(&format!("{base}/audit/csv")).await.text;
        assert_eq!(csv.lines().count(), lines.len() + 2, "the names, and that it was taken out again");
        use sea_orm::ConnectionTrait;
        let spoil = "update audit_events set detail = 'spoilt' where seq = 2";
        app.app.state.db.execute_unprepared(spoil).await.unwrap();
        let told = op.post(&format!("{base}/audit/check"), &[]).await.text;
        assert!(told.contains("The log was changed") && told.contains("line 2"), "{told}");
    }
}
