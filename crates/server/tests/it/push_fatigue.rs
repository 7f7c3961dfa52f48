//! Nobody is asked until they give in: pushes that come to nothing are held back longer and longer, and one browser
//! has one sign-on.

use serde_json::json;
use testkit::{Answer, App, Backend, Person, on_each_database, photos};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn push_from(site: &Backend, ann: &Person, ip: &str, agent: &str) -> Answer {
    let request = site
        .request("POST", "/login/push_notification")
        .header("X-Forwarded-For", ip)
        .header("X-Browser-User-Agent", agent)
        .json(&json!({ "id": ann.client_id }));
    Answer::to(request).await
}

on_each_database! {
    async fn pushes_in_vain_are_held_back_longer_and_longer(
        app: App, |settings| {
            settings.sign_on.pushes_before_pause = 3;
            settings.limits.push_per_client = 1000;
            settings.limits.push_per_ip = 1000;
        }
    ) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for _ in 0..3 {
            site.push(ann.client_id).await;
        }
        for minutes in [1, 2, 4, 8, 16, 30, 30] {
            let held = site.try_push(ann.client_id).await;
            assert_eq!((held.status, held.code()), (429, 1023));
            assert_eq!(held.retry_after, Some(minutes * 60));
            app.clock.advance(i64::try_from(minutes).unwrap() * 60);
            site.push(ann.client_id).await;
        }
        // A success ends it.
        let waiting = ann.phone.pending(0).await.unwrap();
        let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        for _ in 0..3 {
            site.push(ann.client_id).await;
        }
        assert_eq!(site.try_push(ann.client_id).await.code(), 1023);
        // And a day without any.
        app.clock.advance(24 * 60 * 60 + 1);
        site.push(ann.client_id).await;
        site.push(ann.client_id).await;
    }

    async fn what_is_held_back_does_not_count_as_a_push(
        app: App, |settings| {
            settings.sign_on.pushes_before_pause = 3;
            settings.limits.push_per_client = 4;
        }
    ) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for _ in 0..3 {
            site.push(ann.client_id).await;
        }
        for _ in 0..5 {
            assert_eq!(site.try_push(ann.client_id).await.code(), 1023);
        }
        app.clock.advance(60);
        site.push(ann.client_id).await;
    }

    async fn whoever_asks_too_often_keeps_nobody_out_of_their_own_network(
        app: App, |settings| {
            settings.sign_on.pushes_before_pause = 1;
            settings.limits.push_per_client = 1000;
        }
    ) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        assert_eq!(push_from(&site, &ann, "2001:db8::1", FIREFOX).await.code(), 0);
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(push_from(&site, &ann, "203.0.113.9", FIREFOX).await.code(), 0);
        assert_eq!(push_from(&site, &ann, "203.0.113.9", FIREFOX).await.code(), 1023);
        assert_eq!(push_from(&site, &ann, "198.51.100.7", FIREFOX).await.code(), 1023);
        // Another address of the same /64.
        assert_eq!(push_from(&site, &ann, "2001:db8::2", FIREFOX).await.code(), 0);
    }

    async fn of_pushes_of_one_browser_at_once_one_is_left(
        app: App, |settings| {
            settings.limits.push_per_client = 1000;
            settings.limits.push_per_ip = 1000;
        }
    ) {
        let other = App::start(app.database.clone(), |settings| {
            settings.limits.push_per_client = 1000;
            settings.limits.push_per_ip = 1000;
        }).await;
        let site = app.site("a.example").await;
        let there = site.through(&other.url);
        let ann = site.enrolled("ann@example.com").await;
        for _ in 0..4 {
            let pushes = [&site, &there, &site, &there].map(|server| push_from(server, &ann, "203.0.113.9", FIREFOX));
            let answers = futures_util::future::join_all(pushes).await;
            let mut open = 0;
            for answer in answers {
                let status = site.status(&answer.text("verification_token")).await;
                open += usize::from(status.data()["status"] == "pending");
            }
            assert_eq!(open, 1);
            assert_eq!(ann.phone.pending(0).await.unwrap().len(), 1);
        }
    }

    async fn a_browser_that_asks_again_takes_back_what_it_asked_for(
        app: App, |settings| settings.limits.push_per_client = 1000
    ) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let token = async |ip: &str, agent: &str| push_from(&site, &ann, ip, agent).await.text("verification_token");
        let first = token("203.0.113.9", FIREFOX).await;
        let elsewhere = token("198.51.100.7", FIREFOX).await;
        let other = token("203.0.113.9", "curl/8").await;
        let mut page = site.page().await;
        page.watch(&first).await;
        let second = token("203.0.113.9", FIREFOX).await;
        assert_eq!(page.message().await["status"], "expired");
        for (token, status) in [(first, "expired"), (elsewhere, "pending"), (other, "pending"), (second, "pending")] {
            assert_eq!(site.status(&token).await.data()["status"], status);
        }
        // The newest first.
        let waiting = ann.phone.pending(0).await.unwrap();
        assert_eq!(waiting.len(), 3);
        assert_eq!(waiting[0]["browser"], "Firefox");
        // Where no browser is named, there is none to tell apart.
        let one = site.push(ann.client_id).await;
        site.push(ann.client_id).await;
        assert_eq!(site.status(&one).await.data()["status"], "pending");
    }
}
