use phone::PhoneError;
use serde_json::{Value, json};
use testkit::{App, Person, on_each_database, photos};
use uuid::Uuid;

use crate::{device_facial::count, device_register::code};

async fn scan(person: &Person, photo: Vec<u8>) -> Result<(), PhoneError> {
    let id = person.waiting().await;
    person.phone.scan(id, None, &[photo]).await.map(|_| ())
}

fn left(outcome: Result<(), PhoneError>) -> (u64, Value) {
    match outcome {
        Err(PhoneError::Refused { code, details, .. }) => (code, details["attempts_left"].clone()),
        other => panic!("not refused: {other:?}"),
    }
}

on_each_database! {
    async fn the_same_person_is_verified_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        scan(&ann, photos().of(0, 1)).await.unwrap();
        assert_eq!(page.message().await["status"], "scanning");
        let told = page.message().await;
        assert_eq!(told["status"], "verified");
        assert_eq!(told["client_id"], json!(ann.client_id));
        assert_eq!(told["email"], "ann@example.com");
        assert!(told["verified_at"].as_str().unwrap().ends_with('Z'));
        let session = told["client_session_token"].as_str().unwrap();
        assert_eq!(site.redeem(session, ann.client_id).await.code(), 0);
    }

    async fn another_person_fails_after_three_tries(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        for tries in [2, 1, 0] {
            assert_eq!(left(scan(&ann, photos().of(1, 0)).await), (1036, json!(tries)));
            assert_eq!(page.message().await["status"], "scanning");
            let told = page.message().await;
            if tries > 0 {
                assert_eq!((&told["status"], &told["attempts_left"]), (&json!("retry"), &json!(tries)));
                assert_eq!(told["code"], 1036);
            } else {
                assert_eq!(told["status"], "failed");
                assert_eq!((&told["error"], &told["code"]), (&json!("face_mismatch"), &json!(1036)));
            }
            assert!(!told.to_string().contains("distance"));
        }
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
    }

    async fn unusable_photos_do_not_count_as_tries(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        for _ in 0..3 {
            let sent = ann.phone.answer("/login/verify_token", &answer, &[b"text".to_vec()]).await;
            assert_eq!(code(sent), 1038);
        }
        let sent = ann.phone.answer("/login/verify_token", &answer, &[photos().of(0, 1)]).await;
        assert_eq!(sent.unwrap(), json!({ "status": "verified" }));
    }

    async fn a_wrong_number_ends_the_sign_on(app: App) {
        let site = app.site_with("a.example", |settings| settings.number_matching = true).await;
        let ann = site.enrolled("ann@example.com").await;
        let pushed = site.try_push(ann.client_id).await;
        let number = i32::try_from(pushed.data()["number"].as_i64().unwrap()).unwrap();
        let id = ann.waiting().await;
        // A phone that forgot it is told so, and loses nothing.
        assert_eq!(code(ann.phone.scan(id, None, &[photos().of(0, 1)]).await), 1006);
        let sent = ann.phone.scan(id, Some((number + 1) % 100), &[photos().of(0, 1)]).await.map(|_| ());
        assert_eq!(left(sent), (1042, json!(0)));
        let token = pushed.text("verification_token");
        assert_eq!(site.status(&token).await.data()["status"], "failed");
        assert_eq!(code(ann.phone.scan(id, Some(number), &[photos().of(0, 1)]).await), 1031);
    }

    async fn the_number_and_the_face_verify(app: App) {
        let site = app.site_with("a.example", |settings| settings.number_matching = true).await;
        let ann = site.enrolled("ann@example.com").await;
        let pushed = site.try_push(ann.client_id).await;
        let number = i32::try_from(pushed.data()["number"].as_i64().unwrap()).unwrap();
        ann.phone.scan(ann.waiting().await, Some(number), &[photos().of(0, 1)]).await.unwrap();
    }

    async fn a_verdict_is_made_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        let photo = [photos().of(0, 1)];
        let outcomes = futures_util::future::join_all(
            (0..4).map(|_| ann.phone.answer("/login/verify_token", &answer, &photo))
        ).await;
        let (verified, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(verified.len(), 1);
        for outcome in refused {
            assert_eq!(code(outcome), 1031);
        }
        assert_eq!(code(ann.phone.answer("/login/verify_token", &answer, &photo).await), 1031);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'sign_on_verified'").await, 1);
    }

    async fn tries_at_once_are_counted_one_by_one(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        let photo = [photos().of(1, 0)];
        let outcomes = futures_util::future::join_all(
            (0..4).map(|_| ann.phone.answer("/login/verify_token", &answer, &photo))
        ).await;
        // One challenge is one try, however often it is answered.
        let codes: Vec<u64> = outcomes.into_iter().map(code).collect();
        assert_eq!(codes.iter().filter(|code| **code == 1036).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == 1006).count(), 3, "{codes:?}");
        assert_eq!(count(&app, "select sum(failures) as n from clients").await, 1);
    }

    async fn five_failures_lock_for_a_quarter_of_an_hour_and_ten_for_good(
        app: App, |settings| {
            settings.limits.verify_per_ip = 1000;
            settings.limits.push_per_ip = 1000;
            settings.limits.push_per_client = 1000;
        }
    ) {
        let site = app.site_with("a.example", |settings| settings.tries = 5).await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        for _ in 0..5 {
            assert_eq!(left(scan(&ann, photos().of(1, 0)).await).0, 1036);
        }
        let locked = site.try_push(ann.client_id).await;
        assert_eq!((locked.status, locked.code()), (403, 1016));
        assert_eq!(locked.body["details"]["minutes_left"], 15);
        assert!(locked.body["user_message"].as_str().unwrap().contains("15 minutes"));
        app.clock.advance(14 * 60);
        let locked = site.try_push(ann.client_id).await;
        assert!(locked.body["user_message"].as_str().unwrap().contains("1 minute."));
        app.clock.advance(60);
        for failure in 6..=10 {
            site.push(ann.client_id).await;
            let id = ann.waiting().await;
            assert_eq!(left(scan(&ann, photos().of(1, 0)).await).0, 1036);
            let taken = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await;
            assert_eq!(code(taken), 1031);
            let locked = if failure < 10 { 1016 } else { 1017 };
            assert_eq!(site.try_push(ann.client_id).await.code(), locked);
            if failure < 10 {
                app.clock.advance(15 * 60);
            }
        }
        app.clock.advance(7 * 24 * 3600);
        assert_eq!(site.try_push(ann.client_id).await.code(), 1017);
    }

    async fn the_failure_that_locks_ends_the_sign_on(app: App, |settings| settings.lock.temporary_after = 2) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        assert_eq!(left(scan(&ann, photos().of(1, 0)).await), (1036, json!(2)));
        assert_eq!(left(scan(&ann, photos().of(1, 0)).await), (1036, json!(0)));
        assert_eq!(site.status(&verification).await.data()["status"], "failed");
        assert_eq!(site.try_push(ann.client_id).await.code(), 1016);
    }

    async fn a_success_starts_the_count_anew(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        for _ in 0..2 {
            assert_eq!(left(scan(&ann, photos().of(1, 0)).await).0, 1036);
        }
        assert_eq!(count(&app, "select sum(failures) as n from clients").await, 2);
        scan(&ann, photos().of(0, 1)).await.unwrap();
        assert_eq!(count(&app, "select sum(failures) as n from clients").await, 0);
    }

    async fn five_scans_of_one_sign_on_and_ten_from_one_address(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let send = async |id: Uuid| {
            let answer = json!({ "sign_on_id": id, "nonce": "x", "frames": [{ "part": "frame0" }] });
            code(ann.phone.answer("/login/verify_token", &answer, &[b"x".to_vec()]).await)
        };
        let id = Uuid::new_v4();
        for _ in 0..5 {
            assert_eq!(send(id).await, 1032);
        }
        assert_eq!(send(id).await, 1025);
        for _ in 0..4 {
            assert_eq!(send(Uuid::new_v4()).await, 1032);
        }
        assert_eq!(send(Uuid::new_v4()).await, 1024);
        app.clock.advance(30);
        assert_eq!(send(Uuid::new_v4()).await, 1032);
    }

    async fn an_answer_is_checked_part_by_part(app: App, |settings| settings.limits.verify_per_ip = 1000) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for answer in [
            json!({}), json!([]), json!({ "sign_on_id": "x" }),
            json!({ "sign_on_id": Uuid::new_v4() }),
            json!({ "sign_on_id": Uuid::new_v4(), "nonce": 1, "frames": [] }),
            json!({ "sign_on_id": Uuid::new_v4(), "nonce": "x", "frames": [] }),
            json!({ "sign_on_id": Uuid::new_v4(), "nonce": "x", "frames": [{ "part": "other" }] }),
            json!({ "sign_on_id": Uuid::new_v4(), "nonce": "x", "number": "12", "frames": [] }),
        ] {
            let sent = ann.phone.answer("/login/verify_token", &answer, &[b"x".to_vec()]).await;
            assert_eq!(code(sent), 1006, "{answer}");
        }
        let sent = ann.phone.call("/login/verify_token", &json!({ "sign_on_id": 1 })).await;
        assert_eq!(code(sent), 1006);
    }

    async fn another_clients_sign_on_is_1032_and_a_late_one_1030(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.paired("bob@example.com").await;
        bob.phone.enrol(&[photos().of(1, 0)]).await.unwrap();
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        assert_eq!(code(bob.phone.scan(id, None, &[photos().of(1, 0)]).await), 1032);
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        app.clock.advance(600);
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        let sent = ann.phone.answer("/login/verify_token", &answer, &[photos().of(0, 1)]).await;
        assert_eq!(code(sent), 1030);
    }
}
