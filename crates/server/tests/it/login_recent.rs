use phone::{Key, Request};
use server::platform::clock::Clock;
use testkit::{Answer, App, on_each_database, photos};

use crate::device_confirm::further;

on_each_database! {
    async fn what_is_over_is_listed_to_its_person_alone(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.enrolled("bob@example.com").await;
        assert!(ann.phone.recent().await.unwrap().is_empty());

        site.push(ann.client_id).await;
        let signed_on = ann.waiting().await;
        assert!(ann.phone.recent().await.unwrap().is_empty(), "it is not over");
        ann.phone.scan(signed_on, None, &[photos().of(0, 1)]).await.unwrap();
        app.clock.advance(1);
        site.push(ann.client_id).await;
        let denied = ann.waiting().await;
        ann.phone.deny(denied, false).await.unwrap();

        let over = ann.phone.recent().await.unwrap();
        let told: Vec<_> = over
            .iter()
            .map(|one| (one["sign_on_id"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
            .collect();
        assert_eq!(told, [
            (denied.to_string().as_str(), "denied"),
            (signed_on.to_string().as_str(), "verified"),
        ]);
        let hers = ann.phone.pairing().device_id.to_string();
        assert!(over.iter().all(|one| one["device_id"] == hers.as_str()), "{over:?}");
        assert!(bob.phone.recent().await.unwrap().is_empty());
    }

    async fn one_that_nobody_answered_is_listed_once_its_time_is_over(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        app.clock.advance(600);
        app.app.sweep().await.unwrap();
        let over = ann.phone.recent().await.unwrap();
        assert_eq!(over[0]["verdict"], "expired");
        assert!(over[0]["device_id"].is_null());
    }

    async fn only_the_latest_twenty_are_listed(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let mut last = None;
        for _ in 0..21 {
            app.clock.advance(3600);
            site.push(ann.client_id).await;
            let id = ann.waiting().await;
            ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
            last = Some(id);
        }
        let over = ann.phone.recent().await.unwrap();
        assert_eq!(over.len(), 20);
        assert_eq!(over[0]["sign_on_id"], last.unwrap().to_string());
    }

    async fn a_phone_on_trial_is_told_of_what_it_answered_alone(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        app.clock.advance(1);
        let second = further(&site, &ann, "login").await;
        let told = async || second.recent().await.unwrap().len();
        assert_eq!(told().await, 0, "it waits");
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        assert_eq!(told().await, 0, "whose face it sees is not known");
        site.push(ann.client_id).await;
        second.deny(ann.waiting().await, false).await.unwrap();
        assert_eq!(told().await, 1);
        // The first phone is given up, and nobody is there who would be trusted: it changes nothing.
        ann.phone.unpair(ann.phone.pairing().device_id).await.unwrap();
        assert_eq!(told().await, 1);
        app.clock.advance(1);
        site.push(ann.client_id).await;
        let waiting = second.pending(0).await.unwrap();
        let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
        second.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(told().await, 3, "the face was matched");
    }

    async fn what_is_asked_beside_changes_nothing(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let memory = ann.phone.pairing();
        let url = format!("{}{}/login/recent", app.url, server::app::API);
        for query in ["limit=0", "limit=-1", "limit=99999999999999999999", "limit=all", "limit=1&limit=2", "client_id=x", "%00=%ff", "="] {
            let proof = Key::from_pem(&memory.key).unwrap().prove(&Request {
                method: "GET",
                url: &url,
                token: Some(&memory.device_token),
                body: b"",
                at: app.clock.now(),
            });
            let request = reqwest::Client::new()
                .get(format!("{url}?{query}"))
                .header("DPoP", proof.unwrap())
                .header("Authorization", format!("DPoP {}", memory.device_token));
            let answer = Answer::to(request).await;
            assert_eq!(answer.status, 200, "{query}");
            assert_eq!(answer.data()["sign_ons"].as_array().unwrap().len(), 1, "{query}");
        }
    }

    async fn who_asks_without_end_is_told_to_wait(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.enrolled("bob@example.com").await;
        let mut asked = 0;
        let refused = loop {
            match ann.phone.recent().await {
                Ok(_) => asked += 1,
                Err(refused) => break refused.to_string(),
            }
            assert!(asked < 1000);
        };
        assert!(asked > 10 && refused.contains("1026"), "{asked}: {refused}");
        assert!(bob.phone.recent().await.is_ok());
    }
}
