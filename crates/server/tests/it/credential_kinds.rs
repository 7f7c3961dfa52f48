//! Every kind of credential can be listed, replaced and taken back, and ends: shown for each on the running app.

use chrono::TimeDelta;
use serde_json::{Value, json};
use server::{
    app::contract,
    credentials::{Credential, How, table},
    enrolment,
    platform::{clock::Clock as _, keys, keys::Purpose, outgoing::Outgoing},
    push,
    site::{self, Rotation},
    webhook,
};
use testkit::{App, Backend, Receiver, on_each_database};

use crate::{
    dashboard, fcm, site_redis,
    site_tokens::{jti, listed, operator, revoke, row},
    web_push,
    webhooks::{hook, nearby, signature},
};

/// Another server on the same database, which has seen nothing of what is done to the first.
async fn other(app: &App) -> App {
    let other = App::start(app.database.clone(), |_| {}).await;
    other
        .clock
        .advance((app.clock.now() - other.clock.now()).num_seconds());
    other
}

async fn keys_open(site: &Backend, secret_key: &str) -> bool {
    let keys = json!({ "api_key": site.api_key, "secret_key": secret_key });
    site.post("/application_auth", &keys).await.code() == 0
}

async fn secret_keys(app: &App) {
    let other = other(app).await;
    let site = app.site("secret.example").await;
    let there = site.through(&other.url);
    let (db, keys) = (&app.app.state.db, operator(app).await);
    let row = row(app, &site).await;
    let rotation = Rotation {
        overlap: TimeDelta::seconds(60),
        life: Some(TimeDelta::seconds(500)),
    };
    let second = site::rotate_secret(db, &keys, &row, rotation, app.clock.now())
        .await
        .unwrap();
    let second = second.reveal();
    let live = async || {
        site::live_secrets(db, row.id, app.clock.now())
            .await
            .unwrap()
    };
    assert_eq!(live().await.len(), 2);
    assert!(keys_open(&there, &site.secret_key).await && keys_open(&there, second).await);
    let first = live()
        .await
        .into_iter()
        .find(|key| key.replaced_at.is_some())
        .unwrap();
    assert!(
        site::revoke_secret(db, &keys, &row, &first.name(), app.clock.now())
            .await
            .unwrap()
    );
    assert!(
        !site::revoke_secret(db, &keys, &row, &first.name(), app.clock.now())
            .await
            .unwrap()
    );
    assert!(!keys_open(&there, &site.secret_key).await && keys_open(&there, second).await);
    assert_eq!(live().await.len(), 1);
    for server in [app, &other] {
        server.clock.advance(501);
    }
    assert!(!keys_open(&there, second).await);
    assert!(live().await.is_empty());
    app.app.sweep().await.unwrap();
}

async fn site_tokens(app: &App) {
    let other = other(app).await;
    let site = app.site("token.example").await;
    let there = site.through(&other.url);
    let (old, new) = (site.token_of("redeem").await, site.token_of("redeem").await);
    let works = async |token: &str| {
        let body = json!({ "client_session_token": "st_none", "client_id": uuid::Uuid::new_v4() });
        there
            .with_token(token)
            .post("/login/validate_session", &body)
            .await
            .code()
            == 1040
    };
    assert!(works(&old).await && works(&new).await);
    let live = async || {
        listed(app, &site)
            .await
            .iter()
            .filter(|token| token.scope == "redeem")
            .count()
    };
    assert_eq!(live().await, 2);
    assert!(revoke(app, &site, jti(&old)).await);
    assert!(!works(&old).await && works(&new).await);
    assert_eq!(live().await, 1);
    for server in [app, &other] {
        server.clock.advance(2_592_001);
    }
    assert!(!works(&new).await);
    assert_eq!(live().await, 0);
}

async fn signing_keys(app: &App) {
    let other = other(app).await;
    let site = app.site("signing.example").await;
    let there = site.through(&other.url);
    let (db, keyring) = (&app.app.state.db, operator(app).await);
    let listed = async || {
        let all = keys::list(db).await.unwrap();
        all.iter()
            .filter(|key| key.purpose == Purpose::SiteTokens.name())
            .count()
    };
    let before = listed().await;
    let works = async |token: &str| {
        let lookup = json!({ "email": "nobody@example.com" });
        there
            .with_token(token)
            .post("/login/lookup_client", &lookup)
            .await
            .code()
            == 1007
    };
    let rotate = async |and_revoke| {
        let now = app.clock.now();
        site::rotate_signing(db, &keyring, Purpose::SiteTokens, and_revoke, now)
            .await
            .unwrap();
    };
    rotate(false).await;
    let second = there.token_of("site").await;
    assert_eq!(listed().await, before + 1);
    assert!(works(&site.token).await && works(&second).await);
    rotate(true).await;
    assert!(!works(&site.token).await && !works(&second).await);
    let third = there.token_of("site").await;
    assert!(works(&third).await);
    for server in [app, &other] {
        server.clock.advance(2_592_001);
    }
    // What was replaced goes when nothing that it signed lives; the one in force stays.
    for _ in 0..3 {
        app.app.sweep().await.unwrap();
        app.clock.advance(601);
    }
    assert_eq!(listed().await, 1);
}

async fn push_keys(app: &App) {
    let app = App::start(app.database.clone(), nearby).await;
    let (site, service) = (app.site("push.example").await, Receiver::start().await);
    let ann = web_push::subscribed(&site, "ann@example.com", &service).await;
    let (db, keyring) = (&app.app.state.db, operator(&app).await);
    let listed = async || push::phones_by_key(db, &keyring).await.unwrap();
    let rotate = async |and_revoke| {
        let now = app.clock.now();
        push::rotate_key(db, &keyring, and_revoke, now)
            .await
            .unwrap();
    };
    let wakes = async || {
        site.push(ann.client_id).await;
        app.deliver().await;
        service.take().len() == 1
    };
    assert!(listed().await.iter().map(|(_, phones)| phones).eq(&[1]));
    rotate(false).await;
    assert!(listed().await.iter().map(|(_, phones)| phones).eq(&[0, 1]));
    assert!(wakes().await);
    rotate(true).await;
    assert!(listed().await.iter().map(|(_, phones)| phones).eq(&[0]));
    assert!(!wakes().await);
    // The phone is asked in its inbox, and subscribes anew when it is opened.
    let push = web_push::subscription(&service.url);
    let push = json!({ "push": push });
    ann.phone.call("/device/push", &push).await.unwrap();
    assert!(wakes().await);
    rotate(false).await;
    ann.phone.call("/device/push", &push).await.unwrap();
    app.clock.advance(3601);
    app.app.sweep().await.unwrap();
    assert_eq!(
        listed().await.len(),
        1,
        "nobody is subscribed for the other"
    );
}

async fn redis_users(app: &App) {
    let Some(url) = site_redis::url() else { return };
    let app = site_redis::with_redis(app, &url).await;
    let site = app.site("redis.example").await;
    let db = &app.app.state.db;
    let old = site_redis::Access::of(&app, &site, &url).await;
    site_redis::tend(&app).await;
    let found = site::find_redis_user(db, site.site_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.name, old.user.name);
    old.connect().await.unwrap();
    let new = site_redis::Access::until(&app, &site, &url, Some(TimeDelta::seconds(100))).await;
    site_redis::tend(&app).await;
    assert!(old.connect().await.is_err());
    new.connect().await.unwrap();
    app.clock.advance(100);
    site_redis::tend(&app).await;
    assert!(new.connect().await.is_err());
    let again = site_redis::Access::of(&app, &site, &url).await;
    site_redis::tend(&app).await;
    again.connect().await.unwrap();
    let keys = operator(&app).await;
    assert!(
        site::remove_redis_user(db, &keys, site.site_id, app.clock.now())
            .await
            .unwrap()
    );
    site_redis::tend(&app).await;
    assert!(again.connect().await.is_err());
}

async fn webhook_secrets(app: &App) {
    let app = App::start(app.database.clone(), nearby).await;
    let site = app.site("hook.example").await;
    let endpoint = Receiver::start().await;
    let (hook, first) = hook(&app, &site, &endpoint.url, &[]).await;
    let state = &app.app.state;
    let opened = (&state.db, &state.keys);
    let listed = async || webhook::of_site(&state.db, site.site_id).await.unwrap();
    assert_eq!(listed().await.len(), 1);
    let rotate = async |overlap| {
        let (hook, now) = (listed().await.remove(0), app.clock.now());
        let overlap = TimeDelta::seconds(overlap);
        let secret = webhook::rotate_secret(opened, &hook, overlap, now).await;
        secret.unwrap().reveal().to_owned()
    };
    // By which of these a message is signed.
    let signed_by = async |secrets: [&str; 2]| {
        let outgoing = Outgoing::new(&state.settings.outgoing);
        let hook = listed().await.remove(0);
        webhook::try_out(opened, &outgoing, &hook, app.clock.now())
            .await
            .unwrap();
        let message = endpoint.take().remove(0);
        let signed = message.header("webhook-signature").to_owned();
        secrets.map(|secret| {
            signed
                .split(' ')
                .any(|one| one == signature(secret, &message))
        })
    };
    let second = rotate(60).await;
    assert_eq!(signed_by([&first, &second]).await, [true, true]);
    app.clock.advance(60);
    assert_eq!(signed_by([&first, &second]).await, [false, true]);
    let third = rotate(0).await;
    assert_eq!(signed_by([&second, &third]).await, [false, true]);
    webhook::remove(opened, &hook, app.clock.now())
        .await
        .unwrap();
    assert!(listed().await.is_empty());
}

async fn enrolment_codes(app: &App) {
    let other = other(app).await;
    let site = app.site("code.example").await;
    let there = site.through(&other.url);
    let ann = site.client("ann@example.com").await;
    let (db, keys) = (&app.app.state.db, operator(app).await);
    let open = async || {
        enrolment::open_codes(db, site.site_id, app.clock.now())
            .await
            .unwrap()
    };
    let first = site.enrolment_link(ann, "signup").await;
    let second = site.enrolment_link(ann, "signup").await;
    let listed = open().await;
    assert_eq!((listed.len(), listed[0].client_id), (1, ann));
    assert!(there.try_pair(&first).await.is_err());
    let stranger = app.site("other.example").await;
    let now = app.clock.now();
    assert!(
        !enrolment::revoke(db, &keys, stranger.site_id, listed[0].id, now)
            .await
            .unwrap()
    );
    assert!(
        enrolment::revoke(db, &keys, site.site_id, listed[0].id, now)
            .await
            .unwrap()
    );
    assert!(
        !enrolment::revoke(db, &keys, site.site_id, listed[0].id, now)
            .await
            .unwrap()
    );
    assert!(there.try_pair(&second).await.is_err());
    assert!(open().await.is_empty());
    let third = site.enrolment_link(ann, "signup").await;
    for server in [app, &other] {
        server.clock.advance(601);
    }
    assert!(there.try_pair(&third).await.is_err());
    assert!(open().await.is_empty());
    let fourth = site.enrolment_link(ann, "signup").await;
    there.try_pair(&fourth).await.unwrap();
    assert!(open().await.is_empty());
}

async fn devices(app: &App) {
    let site = app.site("device.example").await;
    let ann = site.paired("ann@example.com").await;
    let listed = async || -> Vec<Value> {
        let answer = site.get(&format!("/client/{}", ann.client_id)).await;
        answer.data()["devices"].as_array().unwrap().clone()
    };
    let first = listed().await;
    assert_eq!(
        (first.len(), &first[0]["device_id"]),
        (1, &json!(ann.phone.pairing().device_id))
    );
    let link = site.enrolment_link(ann.client_id, "login").await;
    let second = site.try_pair(&link).await.unwrap();
    assert_eq!(listed().await.len(), 2);
    let which = json!({ "id": ann.client_id, "device_id": ann.phone.pairing().device_id });
    assert_eq!(site.post("/client/revoke_device", &which).await.code(), 0);
    assert!(ann.phone.pending(0).await.is_err());
    second.pending(0).await.unwrap();
    assert_eq!(listed().await.len(), 1);
    app.clock
        .advance(app.app.state.settings.device.token_lifetime.into());
    assert!(second.pending(0).await.is_err());
    let site = site.with_token(&site.token_of("site").await);
    let answer = site.get(&format!("/client/{}", ann.client_id)).await;
    assert_eq!(answer.data()["devices"], json!([]));
}

on_each_database! {
    async fn each_kind_is_listed_replaced_taken_back_and_ends(app: App) {
        for kind in Credential::ALL {
            // A new kind does not compile without its own.
            match kind {
                Credential::SecretKey => Box::pin(secret_keys(&app)).await,
                Credential::SiteToken => Box::pin(site_tokens(&app)).await,
                Credential::SigningKey => Box::pin(signing_keys(&app)).await,
                Credential::PushKey => Box::pin(push_keys(&app)).await,
                Credential::ServiceAccount => Box::pin(fcm::account_is_cared_for(&app)).await,
                Credential::RedisUser => Box::pin(redis_users(&app)).await,
                Credential::WebhookSecret => Box::pin(webhook_secrets(&app)).await,
                Credential::EnrolmentCode => Box::pin(enrolment_codes(&app)).await,
                Credential::Device => Box::pin(devices(&app)).await,
                Credential::AccountFace => Box::pin(dashboard::faces(&app)).await,
                Credential::Passkey => Box::pin(dashboard::passkeys(&app)).await,
                Credential::RecoveryCode => Box::pin(dashboard::recovery_codes(&app)).await,
            }
        }
    }
}

#[test]
fn the_guide_and_the_contract_know_every_kind() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let guide = std::fs::read_to_string(format!("{root}/docs/credentials.md")).unwrap();
    assert!(
        guide.contains(&table()),
        "docs/credentials.md has another table than `axiam credentials`:\n{}",
        table()
    );
    let contract: Value = serde_json::from_str(&contract().unwrap()).unwrap();
    for kind in Credential::ALL {
        let care = kind.care();
        for how in [care.list, care.rotate, care.revoke] {
            if let How::Route(route) = how {
                let (method, path) = route.split_once(' ').unwrap();
                let path = format!("{}{path}", server::app::API);
                let known = &contract["paths"][&path][method.to_lowercase()];
                assert!(known.is_object(), "{route} is no route");
            }
        }
    }
}
