//! A clock that was a day ahead and was put right: nobody waits for the day to pass.

use serde_json::json;
use testkit::{Answer, App, Backend, on_each_database};
use uuid::Uuid;

const DAY: i64 = 86_400;

async fn push(site: &Backend, client_id: Uuid) -> Answer {
    site.post("/login/push_notification", &json!({ "id": client_id }))
        .await
}

on_each_database! {
    async fn limits_do_not_last_until_a_day_that_was_not(app: App, |settings| settings.limits.push_per_client = 2) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        app.clock.advance(DAY);
        for _ in 0..2 {
            assert_eq!(push(&site, ann.client_id).await.code(), 0);
        }
        assert_eq!(push(&site, ann.client_id).await.code(), 1023);
        app.clock.advance(-DAY);
        for _ in 0..2 {
            assert_eq!(push(&site, ann.client_id).await.code(), 0);
        }
        let limited = push(&site, ann.client_id).await;
        assert_eq!(limited.code(), 1023);
        assert!(limited.retry_after.unwrap() <= 150, "{limited:?}");
    }

    async fn servers_whose_clocks_differ_a_little_share_a_limit(app: App, |settings| settings.limits.auth_per_ip = 3) {
        let site = app.site("a.example").await;
        let keys = json!({ "api_key": site.api_key, "secret_key": "wrong" });
        app.clock.advance(60);
        for _ in 0..3 {
            assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
        }
        app.clock.advance(-60);
        assert_eq!(site.post("/application_auth", &keys).await.code(), 1026);
    }

    async fn freezes_and_locks_are_no_longer_than_they_can_be(app: App, |settings| settings.lock.temporary_after = 1) {
        use sea_orm::ConnectionTrait;
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let from = || site.request("POST", "/login/push_notification")
            .header("X-Forwarded-For", "203.0.113.9")
            .json(&json!({ "id": ann.client_id }));
        app.clock.advance(DAY);
        assert_eq!(Answer::to(from()).await.code(), 0);
        ann.phone.deny(ann.waiting().await, true).await.unwrap();
        let lock = "update clients set locked_until = (select until from freezes)";
        app.app.state.db.execute_unprepared(lock).await.unwrap();
        app.clock.advance(-DAY);
        app.app.bound_waits().await.unwrap();
        let (lock, freeze) = (900, DAY);
        assert_eq!(push(&site, ann.client_id).await.code(), 1016);
        app.clock.advance(lock);
        assert_eq!(Answer::to(from()).await.code(), 1022);
        app.clock.advance(freeze - lock);
        assert_eq!(Answer::to(from()).await.code(), 0);
    }

    async fn what_was_revoked_in_the_future_does_not_revoke_what_comes_after(app: App) {
        app.clock.advance(DAY);
        let site = app.site("a.example").await;
        app.clock.advance(-DAY);
        let token = site.token_of("site").await;
        let lookup = json!({ "email": "ann@example.com" });
        let answer = site.with_token(&token).post("/login/lookup_client", &lookup).await;
        assert_eq!(answer.code(), 1007);
    }

    async fn a_proof_that_was_used_is_not_taken_again_when_the_clock_comes_back(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        app.app.sweep().await.unwrap();
        let memory = ann.phone.pairing();
        let path = "/api/v1/facial_sign_on/device/challenge";
        let url = format!("{}{path}", app.url);
        let signed = phone::Request {
            method: "POST", url: &url, token: Some(&memory.device_token), body: b"{}",
            at: phone::Clock::now(&*app.clock),
        };
        let proof = phone::Key::from_pem(&memory.key).unwrap().prove(&signed).unwrap();
        let call = || reqwest::Client::new().post(&url)
            .header("DPoP", &proof)
            .header("Authorization", format!("DPoP {}", memory.device_token))
            .header("Content-Digest", phone::content_digest(b"{}"))
            .body("{}");
        assert_eq!(Answer::to(call()).await.code(), 0);
        for step in [DAY, -DAY] {
            // Ahead by a day and put right within a minute, with sweeps all the while.
            app.clock.step(step);
            app.app.bound_waits().await.unwrap();
            app.app.sweep().await.unwrap();
        }
        assert_eq!(Answer::to(call()).await.code(), 1050);
        // A phone that goes by the server's time is not locked out by any of it.
        for step in [DAY, -DAY, -DAY, DAY] {
            app.clock.step(step);
            ann.phone.pending(0).await.unwrap();
        }
    }

    async fn what_was_begun_in_the_future_ends_when_it_should(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.client("bob@example.com").await;
        app.clock.step(DAY);
        let waiting = site.push(ann.client_id).await;
        let link = site.enrolment_link(bob, "signup").await;
        app.clock.step(-DAY);
        app.app.bound_waits().await.unwrap();
        app.app.sweep().await.unwrap();
        assert_eq!(site.status(&waiting).await.text("status"), "pending");
        // Ten minutes each, as ever, and not a day and ten minutes.
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        assert_eq!(site.status(&waiting).await.text("status"), "expired");
        assert!(site.try_pair(&link).await.is_err());
        let again = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[testkit::photos().of(0, 1)]).await.unwrap();
        assert_eq!(site.status(&again).await.text("status"), "verified");
    }

    async fn what_was_verified_in_the_future_is_redeemed_within_its_life(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        app.clock.step(DAY);
        let mut sessions = Vec::new();
        for photo in [1, 0] {
            let token = site.push(ann.client_id).await;
            ann.phone.scan(ann.waiting().await, None, &[testkit::photos().of(0, photo)]).await.unwrap();
            sessions.push(site.status(&token).await.text("client_session_token"));
        }
        app.clock.step(-DAY);
        app.app.bound_waits().await.unwrap();
        assert_eq!(site.redeem(&sessions[0], ann.client_id).await.code(), 0);
        app.clock.advance(301);
        assert_eq!(site.redeem(&sessions[1], ann.client_id).await.code(), 1040);
    }

    async fn a_days_step_loses_nothing_that_is_kept(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let counted = async || crate::device_facial::count(&app, "select count(*) as n from audit_events").await;
        let before = counted().await;
        for step in [DAY, -DAY, -DAY, DAY] {
            app.clock.step(step);
            app.app.bound_waits().await.unwrap();
            app.app.sweep().await.unwrap();
        }
        assert_eq!(counted().await, before);
        // Tokens, pairing and face are as they were.
        let token = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[testkit::photos().of(0, 1)]).await.unwrap();
        assert_eq!(site.status(&token).await.text("status"), "verified");
    }
}
