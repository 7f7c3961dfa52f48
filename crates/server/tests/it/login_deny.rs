use serde_json::json;
use testkit::{Answer, App, on_each_database, photos};
use uuid::Uuid;

use crate::device_register::code;

on_each_database! {
    async fn a_no_is_final_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        let id = ann.waiting().await;
        ann.phone.deny(id, false).await.unwrap();
        let told = page.message().await;
        assert_eq!(told["status"], "denied");
        assert!(told["message"].is_string() && told["user_message"].is_string(), "{told}");
        assert_eq!(site.status(&verification).await.data()["status"], "denied");
        assert_eq!(code(ann.phone.deny(id, false).await), 1031);
        assert_eq!(code(ann.phone.scan(id, None, &[photos().of(0, 1)]).await), 1031);
        site.push(ann.client_id).await;
    }

    async fn a_report_freezes_pushes_from_that_origin_alone(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let push = async |ip: &str| {
            let request = site.request("POST", "/login/push_notification")
                .header("X-Forwarded-For", ip)
                .json(&json!({ "id": ann.client_id }));
            Answer::to(request).await
        };
        assert_eq!(push("203.0.113.9").await.code(), 0);
        ann.phone.deny(ann.waiting().await, true).await.unwrap();
        let frozen = push("203.0.113.9").await;
        assert_eq!((frozen.code(), frozen.retry_after), (1022, Some(86_400)));
        assert_eq!(push("203.0.113.10").await.code(), 0);
        app.clock.advance(86_400);
        assert_eq!(push("203.0.113.9").await.code(), 0);
    }

    async fn only_the_person_may(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.paired("bob@example.com").await;
        site.push(ann.client_id).await;
        assert_eq!(code(bob.phone.deny(ann.waiting().await, true).await), 1032);
        assert_eq!(code(bob.phone.deny(Uuid::new_v4(), false).await), 1032);
        let late = ann.waiting().await;
        app.clock.advance(600);
        assert_eq!(code(ann.phone.deny(late, false).await), 1030);
    }

    async fn what_is_missing_or_wrong_is_1006(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        for body in [json!({}), json!({ "sign_on_id": 1 }),
            json!({ "sign_on_id": Uuid::new_v4(), "report": "yes" })] {
            assert_eq!(code(ann.phone.call("/login/deny", &body).await), 1006, "{body}");
        }
    }
}
