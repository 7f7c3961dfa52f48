use serde_json::json;
use testkit::{App, on_each_database, photos};

use crate::device_register::code;

on_each_database! {
    async fn a_site_takes_a_sign_on_back(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        let id = ann.waiting().await;
        let body = json!({ "verification_token": verification });
        assert_eq!(other.post("/login/cancel", &body).await.code(), 1032);
        assert_eq!(site.post("/login/cancel", &body).await.data()["status"], "cancelled");
        assert_eq!(page.message().await["status"], "expired");
        assert_eq!(site.post("/login/cancel", &body).await.code(), 1030);
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
        assert_eq!(code(ann.phone.scan(id, None, &[photos().of(0, 1)]).await), 1030);
        // A page that was away meanwhile hears it too, as long as its token would have lived.
        let mut late = site.page().await;
        late.watch(&verification).await;
        assert_eq!(late.message().await["status"], "expired");
        app.clock.advance(600);
        let mut too_late = site.page().await;
        too_late.subscribe("FacialSignOnLoginChannel", body).await;
        assert!(too_late.is_rejected().await);
    }

    async fn what_has_a_verdict_stays(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        let body = json!({ "verification_token": verification });
        assert_eq!(site.post("/login/cancel", &body).await.code(), 1031);
        assert_eq!(site.status(&verification).await.data()["status"], "denied");
        for body in [json!({}), json!({ "verification_token": 1 }), json!({ "verification_token": " " })] {
            assert_eq!(site.post("/login/cancel", &body).await.code(), 1006);
        }
    }
}
