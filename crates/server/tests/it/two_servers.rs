//! Two servers on one database and one Redis.

use phone::Phone;
use serde_json::json;
use testkit::{App, on_each_database, photos};

on_each_database! {
    async fn what_one_begins_the_other_ends(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&other.url);
        let phone = Phone::wake(memory, app.clock.clone()).unwrap();
        phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        let session = site.status(&verification).await.text("client_session_token");
        let there = site.through(&other.url);
        assert_eq!(there.status(&verification).await.text("client_session_token"), session);
        assert_eq!(there.redeem(&session, ann.client_id).await.code(), 0);
        assert_eq!(site.redeem(&session, ann.client_id).await.code(), 1040);
    }

    async fn a_page_of_one_hears_what_goes_through_the_other(app: App) {
        let Ok(redis) = std::env::var("AXIAM_TEST_REDIS_URL") else {
            testkit::skipped("Redis; `make test` starts one");
            return;
        };
        let prefix = format!("test-{}", uuid::Uuid::new_v4());
        let start = async || {
            App::start(app.database.clone(), |settings| {
                settings.redis.url.clone_from(&redis);
                settings.redis.prefix.clone_from(&prefix);
            }).await
        };
        let (one, two) = (start().await, start().await);
        let site = one.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = testkit::Page::connect(&one.url, None).await;
        page.watch(&verification).await;
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&two.url);
        let phone = Phone::wake(memory, two.clock.clone()).unwrap();
        phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(page.message().await, json!({ "status": "scanning" }));
        assert_eq!(page.message().await["status"], "verified");
    }

    /// Whoever reads all of Redis finds no token and no address, neither in clear nor in a key's name.
    async fn redis_holds_no_secret_in_clear(app: App) {
        let Ok(url) = std::env::var("AXIAM_TEST_REDIS_URL") else {
            testkit::skipped("Redis; `make test` starts one");
            return;
        };
        let prefix = format!("test-{}", uuid::Uuid::new_v4());
        let app = App::start(app.database.clone(), |settings| {
            settings.redis.url.clone_from(&url);
            settings.redis.prefix.clone_from(&prefix);
        }).await;
        let mut admin = redis::Client::open(url.as_str()).unwrap()
            .get_multiplexed_async_connection().await.unwrap();
        let mut listener = redis::Client::open(url.as_str()).unwrap().get_async_pubsub().await.unwrap();
        listener.psubscribe(format!("{prefix}:*")).await.unwrap();
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let extended = [("sec-websocket-protocol", "actioncable-v1-ext-json")];
        let mut page = testkit::Page::connect_with(&app.url, None, &extended).await.unwrap();
        let sid = page.next().await.unwrap()["sid"].as_str().unwrap().to_owned();
        page.watch(&verification).await;
        ann.phone.scan(ann.waiting().await, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(page.message().await["status"], "scanning");
        let session = page.message().await["client_session_token"].as_str().unwrap().to_owned();

        let mut seen = Vec::new();
        let mut announced = listener.into_on_message();
        let log = format!("{prefix}:log");
        let written: u64 = redis::cmd("XLEN").arg(&log).query_async(&mut admin).await.unwrap();
        for _ in 0..written {
            let message = futures_util::StreamExt::next(&mut announced).await.unwrap();
            seen.push(message.get_payload_bytes().to_vec());
        }
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg(format!("{prefix}:*")).query_async(&mut admin).await.unwrap();
        for key in keys {
            let value: redis::RedisResult<Vec<u8>> = redis::cmd("DUMP").arg(&key).query_async(&mut admin).await;
            seen.extend(value);
            seen.push(key);
        }
        // Small values are not compressed in a dump, so that what is in clear is found.
        let entries: redis::Value = redis::cmd("XRANGE").arg(&log).arg("-").arg("+").query_async(&mut admin).await.unwrap();
        seen.push(format!("{entries:?}").into_bytes());
        assert!(written > 0 && seen.len() > 4, "{written} entries, {} texts", seen.len());
        for secret in [verification, session, sid, "ann@example.com".into()] {
            for text in &seen {
                let found = text.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{secret} in {}", String::from_utf8_lossy(text));
            }
        }
    }

    async fn two_scans_through_two_servers_make_one_verdict(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&other.url);
        let phone = Phone::wake(memory, app.clock.clone()).unwrap();
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        let photo = [photos().of(0, 1)];
        let (here, there) = tokio::join!(
            ann.phone.answer("/login/verify_token", &answer, &photo),
            phone.answer("/login/verify_token", &answer, &photo),
        );
        assert_eq!([here.is_ok(), there.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }

    async fn a_limit_is_one_for_both(app: App, |settings| settings.limits.auth_per_ip = 4) {
        let other = App::start(app.database.clone(), |settings| settings.limits.auth_per_ip = 4).await;
        let site = app.site("a.example").await;
        let keys = json!({ "api_key": site.api_key, "secret_key": "sk_wrong" });
        let there = site.through(&other.url);
        for server in [&site, &there, &site, &there] {
            assert_eq!(server.post("/application_auth", &keys).await.code(), 1001);
        }
        assert_eq!(site.post("/application_auth", &keys).await.code(), 1026);
        assert_eq!(there.post("/application_auth", &keys).await.code(), 1026);
    }
}
