use testkit::{App, on_each_database, photos};

on_each_database! {
    async fn the_proof_is_there_until_it_is_redeemed(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let session = site.status(&verification).await.text("client_session_token");
        assert_eq!(site.status(&verification).await.text("client_session_token"), session);
        site.redeem(&session, ann.client_id).await;
        let after = site.status(&verification).await;
        assert_eq!(after.data()["status"], "verified");
        assert_eq!(after.data().get("client_session_token"), None);
    }

    async fn another_sites_is_1032_like_nobodys(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        assert_eq!(other.status(&verification).await.code(), 1032);
        assert_eq!(site.status("vt_unknown").await.code(), 1032);
        let missing = site.get("/login/status").await;
        assert_eq!((missing.code(), missing.field()), (1006, "verification_token"));
    }

    async fn time_runs_out_also_unnoticed(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        app.clock.advance(600);
        assert_eq!(site.status(&verification).await.data()["status"], "expired");
    }
}
