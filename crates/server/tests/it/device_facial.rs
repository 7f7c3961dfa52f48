use serde_json::json;
use testkit::{App, on_each_database, photos};

use crate::device_register::code;

on_each_database! {
    async fn a_face_is_enrolled_with_consent_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann.client_id })).await;
        page.confirmed().await;
        assert_eq!(page.message().await["status"], "registered");
        ann.phone.enrol(&[photos().of(0, 0), photos().of(0, 1)]).await.unwrap();
        let told = page.message().await;
        assert_eq!((&told["status"], &told["flow_type"]), (&json!("uploaded"), &json!("signup")));
        assert_eq!(count(&app, "select count(*) as n from consents where version = '1'").await, 1);
    }

    async fn a_page_that_comes_late_hears_what_became_of_the_code_while_it_would_live(app: App) {
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        let listens = async || {
            let mut page = site.page().await;
            page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann })).await;
            page.confirmed().await;
            page
        };
        let link = site.enrolment_link(ann, "signup").await;
        let mut early = listens().await;
        let phone = site.try_pair(&link).await.unwrap();
        let registered = early.message().await;
        assert_eq!((&registered["status"], &registered["registered"]), (&json!("registered"), &json!(true)));
        assert_eq!(listens().await.message().await, registered);
        phone.enrol(&[photos().of(0, 0)]).await.unwrap();
        let uploaded = early.message().await;
        assert_eq!((&uploaded["status"], &uploaded["flow_type"]), (&json!("uploaded"), &json!("signup")));
        assert_eq!(listens().await.message().await, uploaded);
        app.clock.advance(600);
        let mut late = listens().await;
        let again = site.enrolment_link(ann, "login").await;
        site.try_pair(&again).await.unwrap();
        let told = late.message().await;
        assert_eq!((&told["status"], &told["flow_type"]), (&json!("registered"), &json!("login")), "nothing came before");
    }

    async fn photos_that_cannot_be_used_are_told_to_the_page(app: App) {
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann })).await;
        page.confirmed().await;
        let link = site.enrolment_link(ann, "signup").await;
        let phone = site.try_pair(&link).await.unwrap();
        assert_eq!(page.message().await["status"], "registered");
        assert_eq!(code(phone.enrol(&[b"no photo".to_vec()]).await), 1038);
        let told = page.message().await;
        assert_eq!((&told["status"], &told["code"], &told["error"]), (&json!("failed"), &json!(1038), &json!("unsupported_image")));
        assert_eq!(told["flow_type"], "signup");
        for text in ["user_message", "message"] {
            assert!(told[text].as_str().is_some_and(|text| text.ends_with('.')), "{told}");
        }
        assert_eq!(site.upload(&ann.to_string(), b"no photo".to_vec()).await.code(), 1038);
        assert_eq!(page.message().await["code"], 1038);
    }

    async fn nothing_is_enrolled_without_consent(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let challenge = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        assert_eq!(challenge["liveness"], "off");
        assert_eq!(challenge["steps"][0]["action"], "look_straight");
        let frames = json!([{ "part": "frame0", "step": "s1", "t_ms": 0 }]);
        for consent in [json!(null), json!("0"), json!("")] {
            let answer = json!({
                "nonce": challenge["nonce"], "consent_version": consent, "frames": frames,
            });
            let sent = ann.phone.answer("/device/facial", &answer, &[photos().of(0, 0)]).await;
            assert_eq!(code(sent), 1006);
        }
        assert_eq!(count(&app, "select count(*) as n from face_references").await, 0);
    }

    async fn a_challenge_is_good_once_and_not_for_long(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let send = async |nonce: &serde_json::Value| {
            let answer = json!({
                "nonce": nonce, "consent_version": "1", "frames": [{ "part": "frame0" }],
            });
            ann.phone.answer("/device/facial", &answer, &[photos().of(0, 0)]).await
        };
        assert_eq!(code(send(&json!("never given")).await), 1006);
        let new = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        send(&new["nonce"]).await.unwrap();
        assert_eq!(code(send(&new["nonce"]).await), 1006);
        let late = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        app.clock.advance(120);
        assert_eq!(code(send(&late["nonce"]).await), 1006);
    }

    async fn a_bad_photo_leaves_the_challenge_and_the_face_as_they_were(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let challenge = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        let answer = json!({
            "nonce": challenge["nonce"], "consent_version": "1", "frames": [{ "part": "frame0" }],
        });
        let text = b"no photo".to_vec();
        assert_eq!(code(ann.phone.answer("/device/facial", &answer, &[text]).await), 1038);
        ann.phone.answer("/device/facial", &answer, &[photos().of(0, 0)]).await.unwrap();
    }

    async fn another_persons_face_does_not_take_the_place_of_one(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        assert_eq!(code(ann.phone.enrol(&[photos().of(1, 0)]).await), 1036);
        ann.phone.enrol(&[photos().of(0, 1)]).await.unwrap();
        let link = site.enrolment_link(ann.client_id, "login").await;
        let second = site.try_pair(&link).await.unwrap();
        assert_eq!(code(second.enrol(&[photos().of(1, 0)]).await), 1036);
        // A new enrolment that the site asks for is another matter.
        app.clock.advance(1);
        let link = site.enrolment_link(ann.client_id, "signup").await;
        let third = site.try_pair(&link).await.unwrap();
        ann.phone.confirm(third.pairing().device_id).await.unwrap();
        third.enrol(&[photos().of(1, 0)]).await.unwrap();
    }

    async fn two_people_in_one_answer_are_refused(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let (one, other) = (photos().of(0, 0), photos().of(1, 0));
        assert_eq!(code(ann.phone.enrol(&[one.clone(), one.clone(), other.clone()]).await), 1034);
        ann.phone.enrol(std::slice::from_ref(&one)).await.unwrap();
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        assert_eq!(code(ann.phone.scan(id, None, &[one, other]).await), 1034);
        assert_eq!(count(&app, "select sum(tries_left) as n from sign_ons").await, 3);
    }

    async fn wrong_faces_count_towards_the_lock_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann.client_id })).await;
        page.confirmed().await;
        assert_eq!(page.message().await["status"], "uploaded");
        for _ in 0..5 {
            assert_eq!(code(ann.phone.enrol(&[photos().of(1, 0)]).await), 1036);
            let told = page.message().await;
            assert_eq!((&told["status"], &told["code"]), (&json!("failed"), &json!(1036)));
        }
        assert_eq!(code(ann.phone.enrol(&[photos().of(0, 0)]).await), 1016);
        assert_eq!(site.try_push(ann.client_id).await.code(), 1016);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'enrolment_failed'").await, 5);
    }

    async fn a_phone_that_sends_face_after_face_is_slowed(app: App, |settings| settings.limits.enrol_per_device = 2) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        for _ in 0..2 {
            assert_eq!(code(ann.phone.enrol(&[b"text".to_vec()]).await), 1038);
        }
        assert_eq!(code(ann.phone.enrol(&[b"text".to_vec()]).await), 1026);
    }

    async fn an_older_code_does_not_replace_a_newer_face(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let link = site.enrolment_link(ann.client_id, "signup").await;
        let other = site.try_pair(&link).await.unwrap();
        app.clock.advance(1);
        ann.phone.enrol(&[photos().of(0, 0)]).await.unwrap();
        assert_eq!(code(other.enrol(&[photos().of(1, 0)]).await), 1036);
    }

    async fn frames_name_parts_that_are_there(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let challenge = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        let thirteen: Vec<_> = (0..13).map(|n| json!({ "part": format!("frame{n}") })).collect();
        for frames in [
            json!([]), json!(null), json!("frame0"), json!([{ "part": 0 }]), json!(thirteen),
            json!([{ "part": "frame7" }]), json!([{ "part": "frame0" }, { "part": "frame0" }]),
        ] {
            let answer = json!({
                "nonce": challenge["nonce"], "consent_version": "1", "frames": frames,
            });
            let sent = ann.phone.answer("/device/facial", &answer, &[photos().of(0, 0)]).await;
            assert_eq!(code(sent), 1006, "{frames}");
        }
    }

    async fn what_is_stored_of_a_face_does_not_open_for_another_client(app: App) {
        use sea_orm::ConnectionTrait;
        let site = app.site("a.example").await;
        let (ann, bob) = (site.enrolled("ann@example.com").await, site.paired("bob@example.com").await);
        bob.phone.enrol(&[photos().of(1, 0)]).await.unwrap();
        // An attacker who can write to the database gives Bob Ann's template.
        let swap = "update face_references set sealed = (select f.sealed from face_references f join clients c \
            on c.id = f.client_id where c.email = 'ann@example.com')";
        app.app.state.db.execute_unprepared(swap).await.unwrap();
        site.push(bob.client_id).await;
        let id = bob.waiting().await;
        assert_eq!(code(bob.phone.scan(id, None, &[photos().of(0, 1)]).await), 5000);
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
    }
}

/// The one number that a query gives.
pub(crate) async fn count(app: &App, query: &str) -> i64 {
    use sea_orm::{ConnectionTrait, Statement};
    let db = &app.app.state.db;
    let statement = Statement::from_string(db.get_database_backend(), query);
    db.query_one_raw(statement)
        .await
        .unwrap()
        .unwrap()
        .try_get("", "n")
        .unwrap()
}
