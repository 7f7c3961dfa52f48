//! What a site proves itself by can be taken back and given anew.

use chrono::TimeDelta;
use serde_json::json;
use server::{
    platform::clock::Clock as _,
    site::{self, Rotation, Site},
};
use testkit::{App, Backend, on_each_database};

async fn row(app: &App, site: &Backend) -> Site {
    site::find(&app.app.state.db, site.site_id)
        .await
        .unwrap()
        .unwrap()
}

async fn sign_in(site: &Backend, secret_key: &str) -> u64 {
    let keys = json!({ "api_key": site.api_key, "secret_key": secret_key });
    site.post("/application_auth", &keys).await.code()
}

async fn rotate(app: &App, site: &Backend, overlap: i64) -> String {
    let (db, keys) = (&app.app.state.db, &app.app.state.keys);
    let rotation = Rotation {
        overlap: TimeDelta::seconds(overlap),
        life: None,
    };
    let row = row(app, site).await;
    let secret = site::rotate_secret(db, keys, &row, rotation, app.clock.now())
        .await
        .unwrap();
    secret.reveal().to_owned()
}

on_each_database! {
    async fn an_old_secret_key_is_taken_for_the_overlap_and_no_longer(app: App) {
        let site = app.site("a.example").await;
        let first = site.secret_key.clone();
        let second = rotate(&app, &site, 60).await;
        assert_eq!((sign_in(&site, &first).await, sign_in(&site, &second).await), (0, 0));
        app.clock.advance(60);
        assert_eq!((sign_in(&site, &first).await, sign_in(&site, &second).await), (1001, 0));
        // A stolen one ends at once, and the one before the last is never taken again.
        let third = rotate(&app, &site, 0).await;
        assert_eq!(sign_in(&site, &second).await, 1001);
        let fourth = rotate(&app, &site, 60).await;
        let taken = [sign_in(&site, &first).await, sign_in(&site, &second).await, sign_in(&site, &third).await, sign_in(&site, &fourth).await];
        assert_eq!(taken, [1001, 1001, 0, 0]);
    }

    async fn operators_who_rotate_at_once_lose_no_overlap(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let mut first = site.secret_key.clone();
        for _ in 0..4 {
            let (second, third) = tokio::join!(rotate(&app, &site, 60), rotate(&other, &site, 60));
            for key in [&first, &second, &third] {
                assert_eq!(sign_in(&site, key).await, 0);
            }
            // The two servers' clocks are not quite the same.
            app.clock.advance(90);
            other.clock.advance(90);
            // One of the two came after the other and goes on.
            let left = [sign_in(&site, &second).await, sign_in(&site, &third).await];
            assert!(left == [0, 1001] || left == [1001, 0], "{left:?}");
            assert_eq!(sign_in(&site, &first).await, 1001);
            let last = rotate(&app, &site, 0).await;
            for key in [&second, &third] {
                assert_eq!(sign_in(&site, key).await, 1001);
            }
            app.clock.advance(1000);
            other.clock.advance(1000);
            first = last;
        }
    }

    async fn all_tokens_of_a_site_are_revoked_at_once(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let widget = site.with_token(&site.token_of("widget").await);
        let (db, keys) = (&app.app.state.db, &app.app.state.keys);
        site::revoke_tokens(db, keys, &row(&app, &site).await, app.clock.now()).await.unwrap();
        let body = json!({ "email": "nobody@example.com" });
        assert_eq!(site.post("/login/lookup_client", &body).await.code(), 1005);
        assert_eq!(widget.post("/client/send_push", &body).await.code(), 1005);
        assert_eq!(other.post("/login/lookup_client", &body).await.code(), 1007);
        // The next one, asked for in the same second, is good.
        let site = site.with_token(&site.token_of("site").await);
        assert_eq!(site.post("/login/lookup_client", &body).await.code(), 1007);
    }

    async fn a_site_that_is_off_is_unknown_until_it_is_on_again(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let (db, keys) = (&app.app.state.db, &app.app.state.keys);
        let switch = async |is_on| {
            site::switch(db, keys, &row(&app, &site).await, is_on, app.clock.now()).await.unwrap();
        };
        switch(false).await;
        assert_eq!(sign_in(&site, &site.secret_key).await, 1001);
        assert_eq!(site.try_push(ann.client_id).await.code(), 1005);
        assert!(ann.phone.pending(0).await.is_err());
        switch(true).await;
        assert_eq!(sign_in(&site, &site.secret_key).await, 0);
        site.push(ann.client_id).await;
        ann.waiting().await;
    }
}
