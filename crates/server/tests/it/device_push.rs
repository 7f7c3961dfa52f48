use serde_json::json;
use testkit::{App, on_each_database};

use crate::device_register::code;

on_each_database! {
    async fn a_phone_tells_where_it_is_pushed_to(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let subscription = json!({
            "endpoint": "https://push.example/abc", "keys": { "p256dh": "BPub", "auth": "secret" },
        });
        for push in [
            json!({ "kind": "fcm", "token": "abc" }),
            json!({ "kind": "web_push", "subscription": subscription }),
            json!({ "kind": "none" }),
        ] {
            ann.phone.call("/device/push", &json!({ "push": push })).await.unwrap();
            site.push(ann.client_id).await;
        }
        assert_eq!(ann.phone.pending(0).await.unwrap().len(), 3);
    }

    async fn what_is_no_address_is_refused(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let keys = json!({ "p256dh": "BPub", "auth": "secret" });
        for push in [
            json!(null), json!("none"), json!({}), json!({ "kind": "pigeon" }), json!({ "kind": "fcm" }),
            json!({ "kind": "fcm", "token": "" }), json!({ "kind": "fcm", "token": "a".repeat(5000) }),
            json!({ "kind": "web_push", "subscription": { "endpoint": "http://10.0.0.1", "keys": keys } }),
            json!({ "kind": "web_push", "subscription": { "endpoint": "file:///etc/passwd", "keys": keys } }),
        ] {
            let sent = ann.phone.call("/device/push", &json!({ "push": push })).await;
            assert_eq!(code(sent), 1006, "{push}");
        }
    }
}
