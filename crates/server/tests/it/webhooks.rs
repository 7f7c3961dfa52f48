//! What webhooks are told, and what becomes of it when their endpoints do not answer as they should.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use server::{
    platform::{
        clock::Clock,
        config,
        outbox::{self, Parcel, Stage},
        outgoing::Outgoing,
    },
    webhook::{self, Replay, Topic, Topics, Wanted, Webhook},
};
use sha2::Sha256;
use testkit::{App, Backend, Reaction, Received, Receiver, on_each_database};
use uuid::Uuid;

/// Lets requests go to this machine.
pub(crate) fn nearby(settings: &mut config::Settings) {
    settings.outgoing.allow = vec!["127.0.0.0/8".parse().unwrap()];
}

/// For tests in which somebody does not answer: all others wait as long as the default says, for a busy machine
/// answers late, and an answer that came too late is another story than the one that is told.
pub(crate) fn nearby_and_impatient(settings: &mut config::Settings) {
    nearby(settings);
    settings.outgoing.timeout = 5;
}

/// A webhook of a site, with its secret.
pub(crate) async fn hook(
    app: &App,
    site: &Backend,
    url: &str,
    topics: &[Topic],
) -> (Webhook, String) {
    let state = &app.app.state;
    let outgoing = Outgoing::new(&state.settings.outgoing);
    let wanted = Wanted {
        id: Uuid::new_v4(),
        url,
        topics: Topics(topics.to_vec()),
    };
    let (added, secret) = webhook::add(
        (&state.db, &state.keys),
        &outgoing,
        site.site_id,
        wanted,
        app.clock.now(),
    )
    .await
    .unwrap();
    (added, secret.reveal().to_owned())
}

async fn parcels(app: &App, webhook: &Webhook) -> Vec<Parcel> {
    outbox::listed(&app.app.state.db, webhook.id, None, 100)
        .await
        .unwrap()
}

async fn only(app: &App, webhook: &Webhook) -> Parcel {
    let mut found = parcels(app, webhook).await;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// The signature that a secret gives, reckoned here once more.
pub(crate) fn signature(secret: &str, message: &Received) -> String {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = <Hmac<Sha256>>::new_from_slice(&key).unwrap();
    let (id, at) = (
        message.header("webhook-id"),
        message.header("webhook-timestamp"),
    );
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&message.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Something that a webhook is told of: the site's only person says no.
async fn deny(site: &Backend) {
    let ann = site.enrolled("ann@example.com").await;
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, false).await.unwrap();
}

/// How often each of these lines is in the log of the site.
async fn logged(app: &App, site: &Backend) -> BTreeMap<String, usize> {
    let db = &app.app.state.db;
    let query = "select action from audit_events where site_id = $1";
    let statement =
        Statement::from_sql_and_values(db.get_database_backend(), query, [site.site_id.into()]);
    let mut counts = BTreeMap::new();
    for row in db.query_all_raw(statement).await.unwrap() {
        let topics: &[&str] = match row.try_get::<String>("", "action").unwrap().as_str() {
            "sign_on_verified" => &["sign_on.verified"],
            "sign_on_failed" => &["sign_on.failed"],
            "sign_on_denied" => &["sign_on.denied"],
            "sign_on_reported" => &["sign_on.denied", "sign_on.reported"],
            "sign_on_expired" | "sign_on_cancelled" => &["sign_on.expired"],
            "device_registered" => &["device.paired"],
            "device_revoked" => &["device.unpaired"],
            "face_enrolled" => &["face.enrolled"],
            "client_locked" => &["client.locked"],
            "client_erased" => &["client.erased"],
            _ => &[],
        };
        for topic in topics {
            *counts.entry((*topic).to_owned()).or_default() += 1;
        }
    }
    counts
}

async fn live(app: &App, site: &Backend) -> Uuid {
    let ann = site.enrolled("ann@example.com").await;
    let photos = testkit::photos();
    site.push(ann.client_id).await;
    ann.phone
        .scan(ann.waiting().await, None, &[photos.of(0, 1)])
        .await
        .unwrap();
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, false).await.unwrap();
    let cancelled = site.push(ann.client_id).await;
    site.post("/login/cancel", &json!({ "verification_token": cancelled }))
        .await;
    site.push(ann.client_id).await;
    app.clock.advance(601);
    app.app.sweep().await.unwrap();
    for _ in 0..2 {
        site.push(ann.client_id).await;
        let waiting = ann.waiting().await;
        for _ in 0..3 {
            let _ = ann.phone.scan(waiting, None, &[photos.of(1, 0)]).await;
        }
        app.clock.advance(301);
    }
    app.clock.advance(901);
    let link = site.enrolment_link(ann.client_id, "login").await;
    let second = site.try_pair(&link).await.unwrap();
    ann.phone.unpair(second.pairing().device_id).await.unwrap();
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, true).await.unwrap();
    ann.phone.erase().await.unwrap();
    ann.client_id
}

on_each_database! {
    async fn whatever_the_log_says_of_people_a_webhook_is_told(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site("a.example").await;
        let (_, secret) = hook(&app, &site, &format!("{}/hook?k=1", endpoint.url), &[]).await;
        let other = app.site("b.example").await;
        let client_id = live(&app, &site).await;
        deny(&other).await;
        app.deliver().await;
        let received = endpoint.take();
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for message in &received {
            assert_eq!(message.path, "/hook?k=1");
            assert_eq!(message.header("content-type"), "application/json");
            assert_eq!(message.header("webhook-signature"), signature(&secret, message));
            let at: i64 = message.header("webhook-timestamp").parse().unwrap();
            assert_eq!(at, app.clock.now().timestamp());
            let body = message.json();
            *told.entry(body["type"].as_str().unwrap().to_owned()).or_default() += 1;
            assert_eq!(body["data"]["site_id"], site.site_id.to_string());
            assert_eq!(body["data"]["client_id"], client_id.to_string());
            assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
            let text = body.to_string();
            for secret in ["vt_", "cst_", "dt_", "@example.com", "number", "score"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
        assert_eq!(told, logged(&app, &site).await);
        let all: Vec<&str> = Topic::ALL.iter().filter(|topic| **topic != Topic::Test).map(|topic| topic.as_str()).collect();
        let mut seen: Vec<&str> = told.keys().map(String::as_str).collect();
        seen.sort_unstable();
        let mut all = all;
        all.sort_unstable();
        assert_eq!(seen, all);
        let of = |topic: &str| received.iter().map(Received::json).find(|body| body["type"] == topic).unwrap();
        assert_eq!(of("sign_on.failed")["data"]["error"], "face_mismatch");
        assert!(of("client.locked")["data"]["locked_until"].is_string());
        assert!(of("client.erased")["data"]["receipt_id"].is_string());
        assert!(of("sign_on.verified")["data"]["device_id"].is_string());
    }

    async fn a_webhook_is_told_what_it_asked_for_and_of_test_identities_that_they_are(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site_with("a.example", |settings| settings.test_mode = true).await;
        hook(&app, &site, &endpoint.url, &[Topic::SignOnDenied]).await;
        for email in ["approve@example.test", "deny@example.test"] {
            site.post("/client/send_push", &json!({ "email": email })).await;
        }
        app.clock.advance(2);
        app.app.sweep().await.unwrap();
        app.deliver().await;
        let received = endpoint.take();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].json()["data"]["test"], true);
        assert_eq!(received[0].json()["type"], "sign_on.denied");
    }

    async fn what_fails_is_tried_again_later_and_later(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site("a.example").await;
        let (hook, _) = hook(&app, &site, &endpoint.url, &[Topic::SignOnDenied]).await;
        deny(&site).await;
        endpoint.next([
            Reaction::Answer(500, None),
            Reaction::Answer(302, Some(("location", format!("{}/elsewhere", endpoint.url)))),
            Reaction::Answer(404, None),
            Reaction::Answer(429, Some(("retry-after", "4000".to_owned()))),
        ]);
        let mut waits = Vec::new();
        for said in ["500", "302; redirects are not followed", "404", "429"] {
            assert_eq!(app.deliver().await, 1);
            let parcel = only(&app, &hook).await;
            assert_eq!((parcel.state, parcel.said.as_str()), (Stage::Waiting, said));
            let wait = parcel.next_at - app.clock.now();
            waits.push(wait);
            assert_eq!(app.deliver().await, 0, "it is not due");
            app.clock.advance(wait.num_seconds() + 1);
        }
        for (wait, most) in waits.iter().zip([5, 20, 80]) {
            assert!(*wait <= TimeDelta::seconds(most) && *wait >= TimeDelta::milliseconds(most * 500), "{waits:?}");
        }
        assert_eq!(waits[3], TimeDelta::seconds(4000));
        assert_eq!(app.deliver().await, 1);
        let parcel = only(&app, &hook).await;
        assert_eq!((parcel.state, parcel.attempts, parcel.said.as_str()), (Stage::Delivered, 5, "200"));
        let received = endpoint.take();
        assert!(received.iter().all(|message| message.path == "/"));
        let id = received[0].header("webhook-id");
        assert!(id.starts_with("msg_") && received.iter().all(|message| message.header("webhook-id") == id));
        assert!(received[4].header("webhook-timestamp") > received[0].header("webhook-timestamp"));
    }

    async fn who_hangs_or_never_ends_holds_up_no_other(app: App, |settings| nearby_and_impatient(settings)) {
        let (hanging, endless, well) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        hanging.usually(Reaction::Hang);
        endless.usually(Reaction::Endless);
        let site = app.site("a.example").await;
        let (dead, _) = hook(&app, &site, "http://127.0.0.1:9/", &[Topic::SignOnDenied]).await;
        let (hung, _) = hook(&app, &site, &hanging.url, &[Topic::SignOnDenied]).await;
        let (long, _) = hook(&app, &site, &endless.url, &[Topic::SignOnDenied]).await;
        let (good, _) = hook(&app, &site, &well.url, &[Topic::SignOnDenied]).await;
        deny(&site).await;
        app.deliver().await;
        assert_eq!(only(&app, &good).await.state, Stage::Delivered);
        assert_eq!(only(&app, &long).await.state, Stage::Delivered);
        let hung = only(&app, &hung).await;
        assert_eq!((hung.state, hung.said.as_str()), (Stage::Waiting, "no answer in time"));
        let dead = only(&app, &dead).await;
        assert_eq!(dead.state, Stage::Waiting);
        assert!(dead.said.contains("refused"), "{}", dead.said);
        let ids: Vec<String> = [&well, &endless].iter().map(|at| at.take()[0].header("webhook-id").to_owned()).collect();
        assert_eq!(ids[0], ids[1], "one message has one id");
    }

    async fn who_is_gone_is_told_nothing_more(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site("a.example").await;
        let (hook, _) = hook(&app, &site, &endpoint.url, &[Topic::SignOnDenied]).await;
        deny(&site).await;
        endpoint.next([Reaction::Answer(410, None)]);
        app.deliver().await;
        assert_eq!(only(&app, &hook).await.state, Stage::Dead);
        let state = &app.app.state;
        let now = webhook::find(&state.db, site.site_id, hook.id).await.unwrap().unwrap();
        assert!(now.disabled_at.is_some() && now.disabled_for.contains("410"));
        let bob = site.enrolled("bob@example.com").await;
        site.push(bob.client_id).await;
        bob.phone.deny(bob.waiting().await, false).await.unwrap();
        assert_eq!((app.deliver().await, parcels(&app, &hook).await.len()), (0, 1));
        // On again, what was given up can be had.
        webhook::switch((&state.db, &state.keys), &now, None, app.clock.now()).await.unwrap();
        let again = webhook::replay(&state.db, &now, Replay::Dead, app.clock.now()).await.unwrap();
        assert_eq!((again, app.deliver().await), (1, 1));
        let received = endpoint.take();
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        assert_eq!(only(&app, &hook).await.state, Stage::Delivered);
    }

    async fn what_nobody_takes_is_given_up_and_stays_to_be_seen(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        endpoint.usually(Reaction::Answer(503, None));
        let site = app.site("a.example").await;
        let (hook, _) = hook(&app, &site, &endpoint.url, &[Topic::SignOnDenied]).await;
        deny(&site).await;
        let begun = app.clock.now();
        let mut attempts = 0;
        loop {
            attempts += app.deliver().await;
            let parcel = only(&app, &hook).await;
            if parcel.state == Stage::Dead {
                break;
            }
            app.clock.advance((parcel.next_at - app.clock.now()).num_seconds() + 1);
            app.app.sweep().await.unwrap();
        }
        assert!((10..40).contains(&attempts), "{attempts}");
        let lived = app.clock.now() - begun;
        assert!(lived > TimeDelta::hours(60) && lived <= TimeDelta::days(3), "{lived}");
        // Nobody carries for longer than a message lives.
        let bob = site.enrolled("bob@example.com").await;
        site.push(bob.client_id).await;
        bob.phone.deny(bob.waiting().await, false).await.unwrap();
        app.clock.advance(3 * 86_400 + 1);
        assert_eq!(app.deliver().await, 0);
        app.app.sweep().await.unwrap();
        let found = parcels(&app, &hook).await;
        assert!(found.len() == 2 && found.iter().all(|parcel| parcel.state == Stage::Dead));
    }

    async fn both_secrets_sign_while_one_takes_the_others_place(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site("a.example").await;
        let state = &app.app.state;
        let opened = (&state.db, &state.keys);
        let (hook, first) = hook(&app, &site, &endpoint.url, &[]).await;
        let now = app.clock.now();
        let second = webhook::rotate_secret(opened, &hook, TimeDelta::hours(1), now).await.unwrap();
        let second = second.reveal().to_owned();
        let outgoing = Outgoing::new(&state.settings.outgoing);
        let mut sent = Vec::new();
        for seconds in [0, 3601] {
            app.clock.advance(seconds);
            let hook = webhook::find(&state.db, site.site_id, hook.id).await.unwrap().unwrap();
            webhook::try_out(opened, &outgoing, &hook, app.clock.now()).await.unwrap();
            let message = endpoint.take().remove(0);
            let signed: Vec<String> = message.header("webhook-signature").split(' ').map(str::to_owned).collect();
            let by = [&second, &first].map(|secret| signed.contains(&signature(secret, &message)));
            sent.push((signed.len(), by));
        }
        assert_eq!(sent, [(2, [true, true]), (1, [true, false])]);
        let stored = webhook::find(&state.db, site.site_id, hook.id).await.unwrap().unwrap();
        let key = STANDARD.decode(second.strip_prefix("whsec_").unwrap()).unwrap();
        assert!(!stored.secret.windows(key.len()).any(|part| part == key));
    }

    async fn near_addresses_are_refused_when_they_are_added_and_when_they_are_called(app: App) {
        let site = app.site("a.example").await;
        let state = &app.app.state;
        let outgoing = Outgoing::new(&state.settings.outgoing);
        for url in ["http://shop.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/", "https://ann@shop.example/", "shop.example"] {
            let refused = webhook::add((&state.db, &state.keys), &outgoing, site.site_id, Wanted { id: Uuid::new_v4(), url, topics: Topics::default() }, app.clock.now()).await;
            assert!(refused.is_err(), "{url}");
        }
        let endpoint = Receiver::start().await;
        let port = endpoint.url.rsplit(':').next().unwrap().to_owned();
        // A name that leads here is known as such when it is connected to.
        let (hook, _) = hook(&app, &site, &format!("https://localhost:{port}/"), &[Topic::SignOnDenied]).await;
        deny(&site).await;
        app.deliver().await;
        let parcel = only(&app, &hook).await;
        assert_eq!(parcel.state, Stage::Waiting);
        assert!(parcel.said.contains("not an address on the Internet"), "{}", parcel.said);
        assert!(endpoint.take().is_empty());
    }
}

#[test]
fn every_topic_is_explained() {
    let guide = include_str!("../../../../docs/guides/webhooks.md");
    for topic in Topic::ALL {
        let line = format!("| `{}` |", topic.as_str());
        assert!(guide.contains(&line), "{line}");
    }
}
