use serde_json::json;
use testkit::{App, on_each_database};
use uuid::Uuid;

use crate::device_register::code;

on_each_database! {
    async fn the_page_hears_that_someone_scans(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        assert_eq!(site.status(&verification).await.data()["status"], "pending");
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        assert_eq!(challenge["liveness"], "off");
        assert_eq!(challenge["expires_in"], 120);
        assert_eq!(page.message().await, json!({ "status": "scanning" }));
        assert_eq!(site.status(&verification).await.data()["status"], "scanning");
    }

    async fn another_persons_sign_on_is_1032(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.paired("bob@example.com").await;
        site.push(ann.client_id).await;
        for id in [ann.waiting().await, Uuid::new_v4()] {
            let taken = bob.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await;
            assert_eq!(code(taken), 1032);
        }
    }

    async fn what_is_missing_or_wrong_is_1006(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for body in [json!({}), json!({ "sign_on_id": 1 }), json!([]), json!("x")] {
            assert_eq!(code(ann.phone.call("/login/challenge", &body).await), 1006, "{body}");
        }
    }

    async fn after_its_time_it_is_1030(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        app.clock.advance(600);
        let taken = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await;
        assert_eq!(code(taken), 1030);
    }
}
