//! Where a request came from: through proxies, for limits, and for freezes.

use serde_json::json;
use testkit::{Answer, App, Backend, on_each_database};
use uuid::Uuid;

async fn push_from(site: &Backend, client_id: Uuid, forwarded: &str) -> Answer {
    let request = site
        .request("POST", "/login/push_notification")
        .header("X-Forwarded-For", forwarded)
        .json(&json!({ "id": client_id }));
    Answer::to(request).await
}

async fn push(site: &Backend, client_id: Uuid) -> Answer {
    site.post("/login/push_notification", &json!({ "id": client_id }))
        .await
}

on_each_database! {
    async fn one_subscriber_of_ipv6_has_one_limit(app: App, |settings| settings.limits.push_per_ip = 2) {
        let site = app.site("a.example").await;
        let nobody = Uuid::new_v4();
        for from in ["2001:db8::1", "[2001:db8::2]:5001"] {
            assert_eq!(push_from(&site, nobody, from).await.code(), 1007);
        }
        assert_eq!(push_from(&site, nobody, "2001:db8:0:0:ffff::3").await.code(), 1022);
        assert_eq!(push_from(&site, nobody, "2001:db8:0:1::1").await.code(), 1007);
    }

    async fn a_port_does_not_make_an_address_nobodys(app: App, |settings| settings.limits.push_per_ip = 1) {
        let site = app.site("a.example").await;
        let nobody = Uuid::new_v4();
        assert_eq!(push_from(&site, nobody, "203.0.113.1:5001").await.code(), 1007);
        assert_eq!(push_from(&site, nobody, "203.0.113.2:5001").await.code(), 1007);
        assert_eq!(push_from(&site, nobody, "203.0.113.1").await.code(), 1022);
    }

    async fn what_a_browser_puts_in_front_is_not_the_persons_address(app: App, |settings| settings.limits.push_per_ip = 1) {
        let site = app.site("a.example").await;
        let nobody = Uuid::new_v4();
        assert_eq!(push_from(&site, nobody, "6.6.6.6, 203.0.113.1").await.code(), 1007);
        assert_eq!(push_from(&site, nobody, "7.7.7.7, 203.0.113.1").await.code(), 1022);
    }

    async fn proxies_of_the_server_itself_are_looked_through(app: App, |settings| {
        settings.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        settings.limits.auth_per_ip = 1;
    }) {
        let site = app.site("a.example").await;
        let keys = json!({ "api_key": site.api_key, "secret_key": "wrong" });
        for (header, value, code) in [
            ("X-Forwarded-For", "198.51.100.1:4711", 1001),
            ("X-Forwarded-For", "198.51.100.1", 1026),
            ("Forwarded", "for=198.51.100.1;proto=https", 1026),
            ("Forwarded", "for=\"[2001:db8::1]:443\"", 1001),
            ("X-Forwarded-For", "6.6.6.6, 2001:db8::2", 1026),
        ] {
            let request = site.with_token("").request("POST", "/application_auth")
                .header(header, value).json(&keys);
            assert_eq!(Answer::to(request).await.code(), code, "{header}: {value}");
        }
    }

    async fn a_report_freezes_the_network(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        assert_eq!(push_from(&site, ann.client_id, "2001:db8::1").await.code(), 0);
        ann.phone.deny(ann.waiting().await, true).await.unwrap();
        assert_eq!(push_from(&site, ann.client_id, "2001:db8::2").await.code(), 1022);
        assert_eq!(push_from(&site, ann.client_id, "203.0.113.9").await.code(), 0);
    }

    async fn without_a_stated_origin_nothing_is_frozen_and_a_number_is_asked_for(app: App) {
        let site = app.site_with("a.example", |settings| settings.number_matching = false).await;
        let ann = site.enrolled("ann@example.com").await;
        assert!(push(&site, ann.client_id).await.data()["number"].is_null());
        ann.phone.deny(ann.waiting().await, true).await.unwrap();
        let again = push(&site, ann.client_id).await;
        assert!(again.data()["number"].is_i64(), "{again:?}");
        // Someone who is stated is not concerned.
        let stated = push_from(&site, ann.client_id, "203.0.113.9").await;
        assert!(stated.data()["number"].is_null(), "{stated:?}");
        app.clock.advance(86_400);
        assert!(push(&site, ann.client_id).await.data()["number"].is_null());
    }

    async fn a_backend_with_the_right_keys_is_not_limited(app: App, |settings| settings.limits.auth_per_ip = 3) {
        let site = app.site("a.example").await;
        for _ in 0..9 {
            site.token_of("site").await;
        }
    }
}
