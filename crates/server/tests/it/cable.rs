use sea_orm::ConnectionTrait;
use serde_json::json;
use server::site::SiteSettings;
use testkit::{App, Page, on_each_database, photos};
use uuid::Uuid;

use crate::device_facial::count;

on_each_database! {
    async fn a_verdict_that_came_before_the_page_is_told_at_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let mut page = Page::connect(&app.url, None).await;
        page.watch(&verification).await;
        let told = page.message().await;
        assert_eq!(told["status"], "verified");
        let session = told["client_session_token"].as_str().unwrap().to_owned();
        site.redeem(&session, ann.client_id).await;
        let mut late = Page::connect(&app.url, None).await;
        late.watch(&verification).await;
        let told = late.message().await;
        assert_eq!((&told["status"], told.get("client_session_token")), (&json!("verified"), None));
    }

    async fn the_old_parameter_names_the_token_too_and_the_prefix_proves_nothing(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = Page::connect(&app.url, None).await;
        page.subscribe("FacialSignOnLoginChannel", json!({ "token": verification })).await;
        page.confirmed().await;
        let client = json!({ "client_id": ann.client_id });
        page.subscribe("FacialSignOnDeviceChannel", client).await;
        assert!(page.is_rejected().await);
    }

    async fn what_is_not_the_pages_to_see_is_rejected(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let login = |token: &str| ("FacialSignOnLoginChannel", json!({ "verification_token": token }));
        let device = |id: Uuid| ("FacialSignOnDeviceChannel", json!({ "client_id": id }));
        let mut theirs = other.page().await;
        for (channel, params) in [
            login(&verification), login("vt_unknown"), login(""), device(ann.client_id),
            device(Uuid::new_v4()), ("FacialSignOnLoginChannel", json!({})),
            ("FacialSignOnLoginChannel", json!({ "verification_token": 7 })),
            ("FacialSignOnDeviceChannel", json!({ "client_id": "x" })), ("NoSuchChannel", json!({})),
        ] {
            theirs.subscribe(channel, params.clone()).await;
            assert!(theirs.is_rejected().await, "{channel} {params}");
        }
        app.clock.advance(600);
        let mut page = site.page().await;
        page.subscribe("FacialSignOnLoginChannel", login(&verification).1).await;
        assert!(page.is_rejected().await);
    }

    async fn a_token_that_is_none_does_not_connect(app: App) {
        let mut page = Page::connect(&app.url, Some("nonsense")).await;
        let farewell = page.next().await.unwrap();
        assert_eq!(farewell, json!({
            "type": "disconnect", "reason": "unauthorized", "reconnect": false,
        }));
        assert_eq!(page.next().await, None);
    }

    async fn a_token_whose_time_is_over_says_so_before_and_while_connected(app: App) {
        let expired = json!({ "type": "disconnect", "reason": "token_expired", "reconnect": false });
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let widget = site.token_of("widget").await;
        let mut asking = Page::connect(&app.url, Some(&widget)).await;
        assert_eq!(asking.next().await.unwrap()["type"], "welcome");
        let mut silent = Page::connect(&app.url, Some(&widget)).await;
        assert_eq!(silent.next().await.unwrap()["type"], "welcome");
        app.clock.advance(600);
        asking.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann.client_id })).await;
        assert_eq!(asking.next().await.unwrap(), expired);
        // Whoever only listens is told at the next ping.
        assert_eq!(silent.next().await.unwrap(), expired);
        let mut late = Page::connect(&app.url, Some(&widget)).await;
        assert_eq!(late.next().await.unwrap(), expired);
    }

    async fn a_token_that_was_revoked_subscribes_to_nothing_more(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann.client_id })).await;
        page.confirmed().await;
        assert_eq!(page.message().await["status"], "uploaded");
        let revoke = "update sites set tokens_not_before = '2100-01-01T00:00:00+00:00'";
        app.app.state.db.execute_unprepared(revoke).await.unwrap();
        let verification = json!({ "verification_token": "vt_any" });
        page.subscribe("FacialSignOnLoginChannel", verification).await;
        assert_eq!(page.next().await.unwrap()["reason"], "unauthorized");
    }

    async fn a_site_may_ask_for_its_token(app: App) {
        let site = app.site_with("a.example", |settings| settings.cable_token = true).await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut bare = Page::connect(&app.url, None).await;
        bare.subscribe("FacialSignOnLoginChannel", json!({ "verification_token": verification })).await;
        assert!(bare.is_rejected().await);
        let widget = site.token_of("widget").await;
        let mut page = Page::connect(&app.url, Some(&widget)).await;
        page.watch(&verification).await;
    }

    async fn every_page_of_a_sign_on_hears_each_step_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut pages = Vec::new();
        for _ in 0..3 {
            let mut page = site.page().await;
            page.watch(&verification).await;
            pages.push(page);
        }
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        for page in &mut pages {
            assert_eq!(page.message().await["status"], "scanning");
            assert_eq!(page.message().await["status"], "verified");
        }
        let cable = app.app.cable.clone();
        let farewell = tokio::spawn(async move { cable.drain(std::time::Duration::ZERO).await });
        for page in &mut pages {
            // Nothing was left to say but this.
            assert_eq!(page.next().await.unwrap()["reason"], "server_restart");
        }
        farewell.await.unwrap();
    }

    async fn a_verdict_that_nobody_told_is_told_by_the_sweeper_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        // What a server leaves behind that dies between commit and broadcast.
        let db = &app.app.state.db;
        let leave = "update sign_ons set state = 'denied', decided_at = created_at";
        db.execute_unprepared(leave).await.unwrap();
        app.clock.advance(60);
        let undelivered = "select count(*) as n from sign_ons where told_at is null";
        assert_eq!(count(&app, undelivered).await, 1);
        app.app.sweep().await.unwrap();
        assert_eq!(page.message().await["status"], "denied");
        while count(&app, undelivered).await > 0 {
            tokio::task::yield_now().await;
        }
        app.app.sweep().await.unwrap();
        let next = site.push(ann.client_id).await;
        page.watch(&next).await;
        // Nothing else came: the confirmation of another subscription was next.
    }

    async fn a_page_is_asked_to_come_again_when_the_database_fails(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        let params = json!({ "verification_token": verification });
        // Without its table the sign-on cannot be looked up; without the other's its verdict cannot.
        for table in ["sign_ons", "clients"] {
            let db = &app.app.state.db;
            db.execute_unprepared(&format!("alter table {table} rename to hidden_{table}")).await.unwrap();
            let mut page = Page::connect(&app.url, None).await;
            page.subscribe("FacialSignOnLoginChannel", params.clone()).await;
            assert_eq!(page.next().await.unwrap()["type"], "welcome");
            assert_eq!(page.next().await.unwrap(), json!({
                "type": "disconnect", "reason": "unavailable", "reconnect": true,
            }), "{table}");
            db.execute_unprepared(&format!("alter table hidden_{table} rename to {table}")).await.unwrap();
        }
        let mut page = Page::connect(&app.url, None).await;
        page.watch(&verification).await;
        assert_eq!(page.message().await["status"], "denied");
    }

    async fn a_site_may_list_its_origins(app: App) {
        let list = |settings: &mut SiteSettings| {
            *settings = settings.with("origins", "https://a.example,*.a.example").unwrap();
        };
        let site = app.site_with("a.example", list).await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let widget = site.token_of("widget").await;
        let params = json!({ "verification_token": verification });
        let from = async |origin: &str, token: Option<&str>| {
            Page::connect_with(&app.url, token, &[("origin", origin)]).await.unwrap()
        };
        let mut stranger = from("https://evil.example", Some(&widget)).await;
        assert_eq!(stranger.next().await.unwrap()["reason"], "unauthorized");
        let mut bare = from("https://evil.example", None).await;
        bare.subscribe("FacialSignOnLoginChannel", params).await;
        assert!(bare.is_rejected().await);
        for (origin, token) in [("https://a.example", Some(&widget)), ("https://shop.a.example", None)] {
            from(origin, token.map(String::as_str)).await.watch(&verification).await;
        }
        Page::connect(&app.url, None).await.watch(&verification).await;
    }

    async fn without_a_list_the_sites_own_domain_is_let_in_and_no_other(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let widget = site.token_of("widget").await;
        let params = json!({ "verification_token": verification });
        let from = async |origin: &str, token: Option<&str>| {
            Page::connect_with(&app.url, token, &[("origin", origin)]).await.unwrap()
        };
        assert_eq!(from("https://evil.example", Some(&widget)).await.next().await.unwrap()["reason"], "unauthorized");
        let mut bare = from("https://evil.example", None).await;
        bare.subscribe("FacialSignOnLoginChannel", params).await;
        assert!(bare.is_rejected().await);
        for (origin, token) in [("https://a.example", Some(&widget)), ("http://www.a.example:3000", None)] {
            from(origin, token.map(String::as_str)).await.watch(&verification).await;
        }
    }

    async fn one_address_may_not_fill_the_cable(app: App, |settings| {
        settings.cable.connections_per_ip = 2;
        settings.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }) {
        let from = async |ip: &str| Page::connect_with(&app.url, None, &[("x-forwarded-for", ip)]).await;
        let (one, _two) = (from("192.0.2.1").await.unwrap(), from("192.0.2.1").await.unwrap());
        assert_eq!(from("192.0.2.1").await.err(), Some(429));
        from("192.0.2.2").await.unwrap();
        drop(one);
        while from("192.0.2.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    async fn one_address_may_not_ask_for_ever(app: App, |settings| {
        settings.limits.subscribe_per_ip = 3;
        settings.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let from = async |ip: &str| {
            Page::connect_with(&app.url, None, &[("x-forwarded-for", ip)]).await.unwrap()
        };
        let mut guessing = from("192.0.2.1").await;
        for _ in 0..3 {
            let guess = json!({ "verification_token": Uuid::new_v4() });
            guessing.subscribe("FacialSignOnLoginChannel", guess).await;
            assert!(guessing.is_rejected().await);
        }
        let params = json!({ "verification_token": verification });
        guessing.subscribe("FacialSignOnLoginChannel", params).await;
        assert_eq!(guessing.next().await.unwrap(), json!({
            "type": "disconnect", "reason": "rate_limited", "reconnect": true,
        }));
        from("192.0.2.2").await.watch(&verification).await;
        app.clock.advance(100);
        from("192.0.2.1").await.watch(&verification).await;
    }
}
