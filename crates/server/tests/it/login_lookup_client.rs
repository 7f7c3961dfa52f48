use serde_json::json;
use testkit::{App, on_each_database};

on_each_database! {
    async fn a_client_is_found_and_whether_they_have_a_face(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let body = json!({ "email": "ANN@example.com" });
        let found = site.post("/login/lookup_client", &body).await;
        assert_eq!(found.data(), &json!({
            "client_id": ann.client_id, "email": "ann@example.com", "facial_sign_on_enabled": false,
        }));
        ann.phone.enrol(&[testkit::photos().of(0, 0)]).await.unwrap();
        let found = site.post("/login/lookup_client", &body).await;
        assert_eq!(found.data()["facial_sign_on_enabled"], true);
    }

    async fn another_sites_client_is_1007_like_nobodys(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        site.client("ann@example.com").await;
        let theirs = other.post("/login/lookup_client", &json!({ "email": "ann@example.com" })).await;
        let nobodys = other.post("/login/lookup_client", &json!({ "email": "bob@example.com" })).await;
        assert_eq!(theirs.code(), 1007);
        assert_eq!(theirs.body, nobodys.body);
    }

    async fn too_many_are_1026(app: App, |settings| settings.limits.other_per_ip = 2) {
        let site = app.site("a.example").await;
        let body = json!({ "email": "ann@example.com" });
        for _ in 0..2 {
            assert_eq!(site.post("/login/lookup_client", &body).await.code(), 1007);
        }
        assert_eq!(site.post("/login/lookup_client", &body).await.code(), 1026);
    }

    async fn a_widget_may_not(app: App) {
        let site = app.site("a.example").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let body = json!({ "email": "ann@example.com" });
        assert_eq!(widget.post("/login/lookup_client", &body).await.code(), 1010);
    }
}
