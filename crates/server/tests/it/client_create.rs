use serde_json::json;
use testkit::{App, on_each_database};

on_each_database! {
    async fn a_client_is_known_to_its_site_alone(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let body = json!({ "email": "ann@example.com", "full_name": "Ann" });
        let here = site.post("/client/create", &body).await;
        assert_eq!(here.data()["site_id"], json!(site.site_id));
        let there = other.post("/client/create", &body).await;
        assert_ne!(here.data()["client_id"], there.data()["client_id"]);
    }

    async fn an_address_is_taken_once_whatever_its_capitals(app: App) {
        let site = app.site("a.example").await;
        let id = site.paired("ann@example.com").await.client_id;
        let body = json!({ "email": " ANN@Example.com ", "full_name": "Ann" });
        let answer = site.post("/client/create", &body).await;
        assert_eq!((answer.status, answer.code()), (409, 1009));
        assert_eq!(answer.body["data"]["client_id"], json!(id));
    }

    async fn someone_who_never_paired_is_returned_again(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        assert_eq!(site.client("Ann@example.com").await, id);
        let link = site.enrolment_link(id, "signup").await;
        let phone = site.try_pair(&link).await.unwrap();
        // Whoever paired once is known, even without a phone now.
        phone.unpair(phone.pairing().device_id).await.unwrap();
        let body = json!({ "email": "ann@example.com", "full_name": "Ann" });
        assert_eq!(site.post("/client/create", &body).await.code(), 1009);
    }

    async fn a_name_may_be_empty_or_left_out(app: App) {
        let site = app.site("a.example").await;
        for (n, body) in [json!({}), json!({ "full_name": null }), json!({ "full_name": " " })].into_iter().enumerate() {
            let mut body = body;
            body["email"] = format!("p{n}@example.com").into();
            let id = site.post("/client/create", &body).await.text("client_id");
            assert_eq!(site.get(&format!("/client/{id}")).await.data()["full_name"], "");
        }
    }

    async fn of_many_at_once_one_is_created(app: App) {
        let site = app.site("a.example").await;
        let body = json!({ "email": "ann@example.com", "full_name": "Ann" });
        let answers = futures_util::future::join_all(
            (0..8).map(|_| site.post("/client/create", &body))
        ).await;
        let first = answers[0].text("client_id");
        assert!(answers.iter().all(|answer| answer.text("client_id") == first));
        let clients = crate::device_facial::count(&app, "select count(*) as n from clients").await;
        assert_eq!(clients, 1);
    }

    async fn what_is_missing_or_wrong_is_named(app: App) {
        let site = app.site("a.example").await;
        let long = "a".repeat(201);
        for (body, field) in [
            (json!({}), "email"),
            (json!({ "email": "ann@example.com", "full_name": "a\u{0}b" }), "full_name"),
            (json!({ "email": "ann", "full_name": "Ann" }), "email"),
            (json!({ "email": ["ann@example.com"], "full_name": "Ann" }), "email"),
            (json!({ "email": "ann@example.com", "full_name": long }), "full_name"),
        ] {
            let answer = site.post("/client/create", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, field), "{body}");
        }
    }

    async fn a_widget_may_not(app: App) {
        let site = app.site("a.example").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let body = json!({ "email": "ann@example.com", "full_name": "Ann" });
        assert_eq!(widget.post("/client/create", &body).await.code(), 1010);
    }
}
