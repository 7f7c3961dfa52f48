use serde_json::json;
use testkit::{App, on_each_database, photos};
use uuid::Uuid;

use crate::device_register::code;

on_each_database! {
    async fn a_site_reads_what_it_knows_of_a_client(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let answer = site.get(&format!("/client/{}", ann.client_id)).await;
        let data = answer.data();
        assert_eq!((&data["email"], &data["full_name"]), (&json!("ann@example.com"), &json!("Ann Example")));
        assert_eq!(data["face_enrolled"], true);
        assert_eq!(data["locked"], json!({ "failures": 0, "until": null, "permanently": false }));
        assert_eq!(data["devices"][0]["device_id"], json!(ann.phone.pairing().device_id));
        assert!(data["devices"][0]["push"].is_null());
    }

    async fn another_sites_client_is_1007(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let id = site.client("ann@example.com").await;
        for (backend, id) in [(&other, id), (&site, Uuid::new_v4())] {
            assert_eq!(backend.get(&format!("/client/{id}")).await.code(), 1007);
            assert_eq!(backend.post("/client/unlock", &json!({ "id": id })).await.code(), 1007);
        }
        let answer = site.get("/client/ann").await;
        assert_eq!((answer.code(), answer.field()), (1006, "id"));
        let widget = site.with_token(&site.token_of("widget").await);
        assert_eq!(widget.get(&format!("/client/{id}")).await.code(), 1010);
        assert_eq!(widget.post("/client/unlock", &json!({ "id": id })).await.code(), 1010);
    }

    async fn a_locked_client_is_let_in_again(app: App) {
        use sea_orm::ConnectionTrait;
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for _ in 0..5 {
            assert_eq!(code(ann.phone.enrol(&[photos().of(1, 0)]).await), 1036);
        }
        assert_eq!(site.try_push(ann.client_id).await.code(), 1016);
        let shown = site.get(&format!("/client/{}", ann.client_id)).await;
        assert_eq!(shown.data()["locked"]["failures"], 5);
        assert!(shown.data()["locked"]["until"].is_string());
        assert_eq!(site.post("/client/unlock", &json!({ "id": ann.client_id })).await.code(), 0);
        site.push(ann.client_id).await;
        let for_ever = "update clients set locked_permanently = true, failures = 10";
        app.app.state.db.execute_unprepared(for_ever).await.unwrap();
        assert_eq!(site.try_push(ann.client_id).await.code(), 1017);
        assert_eq!(site.post("/client/unlock", &json!({ "id": ann.client_id })).await.code(), 0);
        site.push(ann.client_id).await;
        let audited = "select count(*) as n from audit_events where action = 'client_unlocked'";
        assert_eq!(crate::device_facial::count(&app, audited).await, 2);
    }
}
