use serde_json::json;
use testkit::{Answer, App, networks, on_each_database};

use crate::{
    dashboard::{make_account, signed_in},
    device_register::code,
};

on_each_database! {
    async fn what_waits_is_the_persons_own(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.paired("bob@example.com").await;
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
        let verification = site.push(ann.client_id).await;
        let waiting = ann.phone.pending(0).await.unwrap();
        assert_eq!(waiting.len(), 1);
        assert!(!json!(waiting).to_string().contains(&verification));
        assert!(bob.phone.pending(0).await.unwrap().is_empty());
        app.clock.advance(600);
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
    }

    async fn who_waits_is_woken_by_the_push(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let begun = std::time::Instant::now();
        let (waiting, _) = tokio::join!(ann.phone.pending(25), async {
            site.push(ann.client_id).await
        });
        assert_eq!(waiting.unwrap().len(), 1);
        assert!(begun.elapsed().as_secs() < 20);
    }

    async fn a_wait_that_is_no_number_is_1006_and_no_proof_1050(app: App) {
        let site = app.site("a.example").await;
        site.enrolled("ann@example.com").await;
        let answer = site.get("/login/pending?wait=soon").await;
        assert_eq!(answer.code(), 1050);
        let bare = Answer::to(site.with_token("").request("GET", "/login/pending")).await;
        assert_eq!(bare.code(), 1050);
    }

    async fn the_phone_and_the_tracker_name_the_place(app: App) {
        let record = r#"{"city":{"names":{"en":"Hanoi"}},"country":{"names":{"en":"Vietnam"}}}"#;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("places.mmdb");
        std::fs::write(&file, networks("Test-City", &[("203.0.113.0/24", record)])).unwrap();
        let places = server::platform::places::Places::of_file(&file).unwrap();
        app.app.state.places.go_by(places);
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        for (ip, place) in [("203.0.113.9", json!("Hanoi, Vietnam")), ("198.51.100.9", json!(null))] {
            let request = site.request("POST", "/login/push_notification")
                .header("X-Forwarded-For", ip)
                .json(&json!({ "id": ann.client_id }));
            assert_eq!(Answer::to(request).await.code(), 0);
            let waiting = ann.phone.pending(0).await.unwrap();
            assert_eq!(waiting[0]["place"], place, "{ip}");
            ann.phone.deny(ann.waiting().await, false).await.unwrap();
        }
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let tracker = format!("/dashboard/apps/{}", site.site_id);
        assert!(root.get(&tracker).await.text.contains("Hanoi, Vietnam"));
        let export = root.get(&format!("{tracker}/sign-ons/csv")).await.text;
        assert!(export.contains(r#"203.0.113.9,"Hanoi, Vietnam","#), "{export}");
    }

    async fn a_phones_token_ends(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        app.clock.advance(31_536_000);
        assert_eq!(code(ann.phone.pending(0).await), 1050);
    }

    async fn a_phone_that_waits_is_answered_when_the_server_stops(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let asked = std::time::Instant::now();
        let stop = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            app.app.state.wake_ups.end_waiting();
        };
        let (waited, ()) = tokio::join!(ann.phone.pending(25), stop);
        assert!(waited.unwrap().is_empty());
        assert!(asked.elapsed().as_secs() < 10, "{:?}", asked.elapsed());
        // Who asks now is not kept either.
        assert!(ann.phone.pending(25).await.unwrap().is_empty());
        assert!(asked.elapsed().as_secs() < 15, "{:?}", asked.elapsed());
    }
}
