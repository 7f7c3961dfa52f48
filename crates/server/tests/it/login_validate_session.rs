use serde_json::json;
use testkit::{App, Backend, Person, on_each_database, photos};
use uuid::Uuid;

async fn verified(site: &Backend, person: &Person) -> String {
    let verification = site.push(person.client_id).await;
    let id = person.waiting().await;
    person
        .phone
        .scan(id, None, &[photos().of(0, 1)])
        .await
        .unwrap();
    site.status(&verification)
        .await
        .text("client_session_token")
}

on_each_database! {
    async fn a_proof_is_good_once_for_its_site_and_client(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.enrolled("ann@example.com").await;
        let session = verified(&site, &ann).await;
        assert_eq!(other.redeem(&session, ann.client_id).await.code(), 1046);
        assert_eq!(site.redeem(&session, Uuid::new_v4()).await.code(), 1040);
        let redeemed = site.redeem(&session, ann.client_id).await;
        assert_eq!(redeemed.data()["client_id"], json!(ann.client_id));
        assert_eq!(redeemed.data()["email"], "ann@example.com");
        assert_eq!(redeemed.data()["site_id"], json!(site.site_id));
        assert_eq!(redeemed.data()["device_id"], json!(ann.phone.pairing().device_id));
        assert_eq!(redeemed.data()["amr"], json!(["face", "swk"]));
        assert_eq!(site.redeem(&session, ann.client_id).await.code(), 1040);
    }

    async fn a_proof_of_another_sign_on_than_the_one_asked_for_is_refused_and_kept(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let asked = site.push(ann.client_id).await;
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        let session = site.status(&asked).await.text("client_session_token");
        let other = site.push(ann.client_id).await;
        let redeem = |verification: &str| {
            let body = json!({
                "client_session_token": session,
                "client_id": ann.client_id,
                "verification_token": verification,
            });
            let site = &site;
            async move { site.post("/login/validate_session", &body).await }
        };
        for wrong in [other.as_str(), "", "vt_unknown", session.as_str()] {
            assert_eq!(redeem(wrong).await.code(), 1040, "{wrong}");
        }
        assert_eq!(redeem(&asked).await.data()["client_id"], json!(ann.client_id));
        assert_eq!(redeem(&asked).await.code(), 1040);
    }

    async fn of_many_at_once_one_redeems(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let session = verified(&site, &ann).await;
        let answers = futures_util::future::join_all(
            (0..8).map(|_| site.redeem(&session, ann.client_id))
        ).await;
        assert_eq!(answers.iter().filter(|answer| answer.code() == 0).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.code() == 1040).count(), 7);
    }

    async fn a_proof_ends_after_five_minutes(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let session = verified(&site, &ann).await;
        app.clock.advance(300);
        assert_eq!(site.redeem(&session, ann.client_id).await.code(), 1040);
        for unknown in ["", "st_", "x", &"x".repeat(10_000)] {
            assert_eq!(site.redeem(unknown, ann.client_id).await.code(), 1040);
        }
    }

    async fn what_is_missing_or_wrong_is_named(app: App) {
        let site = app.site("a.example").await;
        for (body, field) in [
            (json!({}), "client_session_token"),
            (json!({ "client_session_token": 1, "client_id": Uuid::nil() }), "client_session_token"),
            (json!({ "client_session_token": "x" }), "client_id"),
            (json!({ "client_session_token": "x", "client_id": "x" }), "client_id"),
        ] {
            let answer = site.post("/login/validate_session", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, field));
        }
        let widget = site.with_token(&site.token_of("widget").await);
        assert_eq!(widget.redeem("x", Uuid::nil()).await.code(), 1010);
    }
}
