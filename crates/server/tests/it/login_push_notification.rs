use serde_json::json;
use server::platform::clock::Clock as _;
use testkit::{Answer, App, on_each_database};
use uuid::Uuid;

on_each_database! {
    async fn a_push_names_its_sign_on_and_shows_no_number(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let pushed = site.try_push(ann.client_id).await;
        assert_eq!(pushed.data()["expires_in"], 600);
        assert_eq!(pushed.data()["site_id"], json!(site.site_id));
        assert_eq!(pushed.data()["number"], json!(null));
        assert!(pushed.text("verification_token").len() > 40);
    }

    async fn a_new_site_asks_for_the_number(app: App) {
        let new = server::site::create(&app.app.state.db, &app.app.state.keys, ("new.example", false), app.clock.now()).await.unwrap();
        assert!(new.site.settings.number_matching);
        let site = app.site_with("a.example", |settings| settings.number_matching = true).await;
        let ann = site.enrolled("ann@example.com").await;
        let pushed = site.try_push(ann.client_id).await;
        assert!((0..100).contains(&pushed.data()["number"].as_i64().unwrap()));
    }

    async fn the_backends_word_about_the_browser_reaches_the_phone(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let request = site.request("POST", "/login/push_notification")
            .header("X-Forwarded-For", "203.0.113.9, 10.0.0.1")
            .header("X-Browser-User-Agent", agent)
            .json(&json!({ "id": ann.client_id }));
        assert_eq!(Answer::to(request).await.code(), 0);
        let waiting = ann.phone.pending(0).await.unwrap();
        assert_eq!(waiting[0]["browser"], "Firefox");
        assert_eq!(waiting[0]["os"], "Windows 10");
        assert_eq!(waiting[0]["site"]["domain"], "a.example");
    }

    async fn what_is_missing_is_told_apart(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        assert_eq!(site.try_push(Uuid::new_v4()).await.code(), 1007);
        let bare = site.client("bare@example.com").await;
        assert_eq!(site.try_push(bare).await.code(), 1008);
        let unpaired = site.client("unpaired@example.com").await;
        site.upload(&unpaired.to_string(), testkit::photos().of(0, 0)).await;
        assert_eq!(site.try_push(unpaired).await.code(), 1012);
        assert_eq!(other.try_push(unpaired).await.code(), 1007);
        for body in [json!({}), json!({ "id": ["x"] }), json!({ "id": null })] {
            let answer = site.post("/login/push_notification", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, "id"));
        }
    }

    async fn ten_in_five_minutes_from_one_address(app: App) {
        let site = app.site("a.example").await;
        let push = async |ip: &str| {
            let request = site.request("POST", "/login/push_notification")
                .header("X-Forwarded-For", ip)
                .json(&json!({ "id": Uuid::new_v4() }));
            Answer::to(request).await
        };
        for _ in 0..10 {
            assert_eq!(push("203.0.113.9").await.code(), 1007);
        }
        let limited = push("203.0.113.9").await;
        assert_eq!((limited.status, limited.code()), (429, 1022));
        assert_eq!(limited.retry_after, Some(30));
        assert_eq!(limited.body["user_message"], "Too many requests. Please try again in 30 seconds.");
        assert_eq!(push("203.0.113.10").await.code(), 1007);
        app.clock.advance(30);
        assert_eq!(push("203.0.113.9").await.code(), 1007);
        assert_eq!(push("203.0.113.9").await.code(), 1022);
        app.clock.advance(300);
        assert_eq!(push("203.0.113.9").await.code(), 1007);
    }

    async fn pushes_that_do_not_reach_the_person_do_not_use_up_theirs(app: App) {
        let site = app.site("a.example").await;
        let bare = site.paired("ann@example.com").await;
        for _ in 0..6 {
            assert_eq!(site.try_push(bare.client_id).await.code(), 1008);
        }
        bare.phone.enrol(&[testkit::photos().of(0, 0)]).await.unwrap();
        site.push(bare.client_id).await;
    }

    async fn five_in_five_minutes_to_one_client_also_at_once(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let answers = futures_util::future::join_all(
            (0..8).map(|_| site.try_push(ann.client_id))
        ).await;
        assert_eq!(answers.iter().filter(|answer| answer.code() == 0).count(), 5);
        assert_eq!(answers.iter().filter(|answer| answer.code() == 1023).count(), 3);
    }
}
