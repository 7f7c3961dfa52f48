//! Identities that give their verdict without a phone: on sites in test mode, and nowhere else.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use server::{client::TestClient, site};
use testkit::{App, Backend, Page, on_each_database};

async fn test_site(app: &App) -> Backend {
    app.site_with("a.example", |settings| settings.test_mode = true)
        .await
}

async fn ask(site: &Backend, email: &str) -> (String, String) {
    let found = site
        .post("/login/lookup_client", &json!({ "email": email }))
        .await;
    assert_eq!(found.data()["facial_sign_on_enabled"], true);
    let client_id = found.text("client_id");
    let pushed = site
        .post("/login/push_notification", &json!({ "id": client_id }))
        .await;
    (client_id, pushed.text("verification_token"))
}

/// The status of a sign-on once it is `ended`, within the second that is promised and some patience for a
/// busy machine.
async fn verdict(site: &Backend, verification: &str) -> Value {
    for _ in 0..200 {
        let status = site.status(verification).await.data().clone();
        if !matches!(status["status"].as_str(), Some("pending" | "scanning")) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no verdict");
}

/// What a row of the only sign-on says.
async fn tracked(app: &App, column: &str) -> Option<String> {
    let db = &app.app.state.db;
    let sql = format!("select {column} as found from sign_ons");
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "found").unwrap()
}

async fn go_live(app: &App, backend: &Backend) {
    app.change_settings(backend.site_id, |settings| settings.test_mode = false)
        .await;
}

on_each_database! {
    async fn the_approving_one_is_redeemed_and_everything_says_that_it_is_a_test(app: App) {
        let site = test_site(&app).await;
        let (client_id, verification) = ask(&site, "approve@example.test").await;
        assert!(verification.starts_with("vt_test_"));
        let verified = verdict(&site, &verification).await;
        assert_eq!((&verified["status"], &verified["test"]), (&json!("verified"), &json!(true)));
        let session = verified["client_session_token"].as_str().unwrap();
        assert!(session.starts_with("st_test_"));
        let redeemed = site.redeem(session, client_id.parse().unwrap()).await;
        assert_eq!(redeemed.data()["email"], "approve@example.test");
        assert_eq!((&redeemed.data()["test"], &redeemed.data()["device_id"]), (&json!(true), &json!(null)));
        assert_eq!(site.redeem(session, client_id.parse().unwrap()).await.code(), 1040);
        assert_eq!(tracked(&app, "test_identity").await.as_deref(), Some("approve"));
        let db = &app.app.state.db;
        let sql = "select count(*) as n from audit_events where sign_on_id is not null and detail not like 'test identity%' \
                   and action not in ('session_redeemed', 'redemption_refused')";
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0, "a record without the mark");
    }

    async fn a_page_hears_each_verdict_as_it_would_a_persons(app: App) {
        let site = test_site(&app).await;
        for (email, heard) in [
            ("approve@example.test", vec!["scanning", "verified"]),
            ("deny@example.test", vec!["denied"]),
            ("wrong-face@example.test", vec!["scanning", "retry", "scanning", "retry", "scanning", "failed"]),
            ("expire@example.test", vec!["expired"]),
        ] {
            let (_, verification) = ask(&site, email).await;
            let mut page = Page::connect(&app.url, None).await;
            page.watch(&verification).await;
            let last = heard.len() - 1;
            for (at, status) in heard.into_iter().enumerate() {
                let told = page.message().await;
                assert_eq!(told["status"], status, "{email}: {told}");
                if at == last && status == "failed" {
                    assert_eq!(told["code"], 1036);
                }
            }
        }
        let (_, verification) = ask(&site, "wrong-face@example.test").await;
        assert_eq!(verdict(&site, &verification).await["status"], "failed");
    }

    async fn one_has_no_device(app: App) {
        let site = test_site(&app).await;
        let answer = site.post("/client/send_push", &json!({ "email": "no-device@example.test" })).await;
        assert_eq!(answer.code(), 1012);
    }

    async fn they_may_be_asked_often_and_are_never_locked(app: App, |settings| {
        settings.limits.push_per_ip = 2;
        settings.limits.push_per_client = 2;
    }) {
        let site = test_site(&app).await;
        let widget = site.with_token(&site.token_of("widget").await);
        for _ in 0..12 {
            let pushed = widget.post("/client/send_push", &json!({ "email": "wrong-face@example.test" })).await;
            let verification = pushed.text("verification_token");
            assert_eq!(verdict(&widget, &verification).await["status"], "failed");
        }
    }

    async fn on_a_live_site_they_are_clients_like_others(app: App) {
        let site = app.site("a.example").await;
        for email in ["approve@example.test", "deny@example.test", "no-device@example.test"] {
            let body = json!({ "email": email });
            assert_eq!(site.post("/login/lookup_client", &body).await.code(), 1007);
            assert_eq!(site.post("/client/send_push", &body).await.code(), 1007);
            let id = site.client(email).await;
            assert_eq!(site.post("/client/send_push", &body).await.code(), 1008);
            assert_eq!(site.post("/login/push_notification", &json!({ "id": id })).await.code(), 1008);
        }
        // Nor by a row that says so: not at once, not by the sweep, not when redeemed.
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let db = &app.app.state.db;
        db.execute_unprepared("update sign_ons set test_identity = 'approve'").await.unwrap();
        app.clock.advance(5);
        app.app.sweep().await.unwrap();
        assert_eq!(site.status(&verification).await.data()["status"], "pending");
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &[testkit::photos().of(0, 1)]).await.unwrap();
        let session = site.status(&verification).await.text("client_session_token");
        assert_eq!(site.redeem(&session, ann.client_id).await.code(), 1040);
    }

    async fn what_was_approved_before_a_site_went_live_is_worth_nothing_after(app: App) {
        let site = test_site(&app).await;
        let (client_id, verification) = ask(&site, "approve@example.test").await;
        let verified = verdict(&site, &verification).await;
        go_live(&app, &site).await;
        let session = verified["client_session_token"].as_str().unwrap();
        assert_eq!(site.redeem(session, client_id.parse().unwrap()).await.code(), 1040);
        assert_eq!(site.post("/login/push_notification", &json!({ "id": client_id })).await.code(), 1008);
        let db = &app.app.state.db;
        let row = site::find(db, site.site_id).await.unwrap().unwrap();
        let client = server::client::find(db, &row, client_id.parse().unwrap()).await.unwrap();
        assert!(TestClient::of(&row, &client).is_none());
    }

    async fn another_server_gives_the_verdict_that_one_did_not(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = test_site(&app).await;
        let (_, verification) = ask(&site, "approve@example.test").await;
        // What the first one had in mind is undone, as if it had stopped before, with its challenge taken up.
        let first = verdict(&site, &verification).await;
        assert_eq!(first["status"], "verified");
        app.app.state.db.execute_unprepared(
            "update sign_ons set state = 'pending', decided_at = null, session_hash = null, challenge_hash = token_hash",
        ).await.unwrap();
        other.clock.advance(2);
        let (one, two) = tokio::join!(other.app.sweep(), other.app.sweep());
        one.and(two).unwrap();
        assert_eq!(site.through(&other.url).status(&verification).await.data()["status"], "verified");
    }

    async fn people_on_a_site_in_test_mode_need_their_phones(app: App) {
        let site = test_site(&app).await;
        let body = json!({ "email": "ann@example.test" });
        assert_eq!(site.post("/client/send_push", &body).await.code(), 1007);
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        assert!(!verification.starts_with("vt_test_"));
        ann.phone.scan(ann.waiting().await, None, &[testkit::photos().of(0, 1)]).await.unwrap();
        let status = site.status(&verification).await;
        assert_eq!(status.data().get("test"), None);
        let redeemed = site.redeem(&status.text("client_session_token"), ann.client_id).await;
        assert_eq!(redeemed.data()["test"], false);
    }

    async fn a_sites_token_says_that_it_is_for_tests(app: App) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let claims = |token: &str| -> Value {
            let part = token.split('.').nth(1).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let test = test_site(&app).await;
        for scope in ["site", "widget"] {
            assert_eq!(claims(&test.token_of(scope).await)["test"], true);
        }
        assert_eq!(claims(&app.site("b.example").await.token).get("test"), None);
    }
}
