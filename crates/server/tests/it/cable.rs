use serde_json::json;
use testkit::{App, Page, on_each_database, photos};
use uuid::Uuid;

on_each_database! {
    async fn a_verdict_that_came_before_the_page_is_told_at_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let mut page = Page::connect(&app.url, None).await;
        page.watch(&verification).await;
        let told = page.told().await;
        assert_eq!(told["status"], "verified");
        let session = told["client_session_token"].as_str().unwrap().to_owned();
        site.redeem(&session, ann.client_id).await;
        let mut late = Page::connect(&app.url, None).await;
        late.watch(&verification).await;
        let told = late.told().await;
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
            assert_eq!(page.told().await["status"], "scanning");
            assert_eq!(page.told().await["status"], "verified");
        }
        let cable = app.app.cable.clone();
        let farewell = tokio::spawn(async move { cable.drain(std::time::Duration::ZERO).await });
        for page in &mut pages {
            // Nothing was left to say but this.
            assert_eq!(page.next().await.unwrap()["reason"], "server_restart");
        }
        farewell.await.unwrap();
    }
}
