//! Two servers on one database agree on everything but the cable, which has no Redis yet.

use serde_json::json;
use testkit::{App, on_each_database, photos};

on_each_database! {
    async fn what_one_begins_the_other_ends(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let session = site.status(&verification).await.text("client_session_token");
        let first = server::site::find(&other.app.state.db, site.site_id).await.unwrap().unwrap();
        let (sign_on, verdict) =
            server::sign_on::find_watched(&other.app.state, &verification).await.unwrap();
        assert_eq!(sign_on.site_id, first.id);
        let told = serde_json::to_value(server::sign_on::Told::from(&verdict.unwrap())).unwrap();
        assert_eq!(told["client_session_token"], json!(session));
    }

    async fn a_limit_is_one_for_both(app: App, |settings| settings.limits.auth_per_ip = 4) {
        let other = App::start(app.database.clone(), |settings| settings.limits.auth_per_ip = 4).await;
        let site = app.site("a.example").await;
        let keys = json!({ "api_key": site.api_key, "secret_key": site.secret_key });
        let there = site.through(&other);
        assert_eq!(site.post("/application_auth", &keys).await.code(), 0);
        assert_eq!(there.post("/application_auth", &keys).await.code(), 0);
        assert_eq!(site.post("/application_auth", &keys).await.code(), 0);
        assert_eq!(there.post("/application_auth", &keys).await.code(), 1026);
    }
}
