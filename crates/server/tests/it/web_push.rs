//! Pushes to browsers: what their push services are sent, and what becomes of it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use p256::{
    SecretKey,
    elliptic_curve::{Generate as _, sec1::ToSec1Point},
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use server::{platform::clock::Clock, push};
use testkit::{App, Backend, Person, Reaction, Receiver, on_each_database};
use uuid::Uuid;

use crate::{
    device_facial::count,
    device_register::code,
    site_tokens::operator,
    webhooks::{nearby, nearby_and_impatient},
};

pub(crate) fn subscription(endpoint: &str) -> Value {
    let key = SecretKey::generate().public_key().to_sec1_point(false);
    let keys = json!({ "p256dh": URL_SAFE_NO_PAD.encode(key.as_bytes()), "auth": URL_SAFE_NO_PAD.encode([7; 16]) });
    json!({ "kind": "web_push", "subscription": { "endpoint": endpoint, "keys": keys } })
}

pub(crate) async fn subscribed(site: &Backend, email: &str, service: &Receiver) -> Person {
    let person = site.enrolled(email).await;
    let push = subscription(&format!("{}/send/abc?x=1", service.url));
    person
        .phone
        .call("/device/push", &json!({ "push": push }))
        .await
        .unwrap();
    person
}

/// How far each push has come, in an order.
pub(crate) async fn states(app: &App) -> Vec<String> {
    let db = &app.app.state.db;
    let query = Statement::from_string(
        db.get_database_backend(),
        "select case when opened_at is not null then 'opened' when shown_at is not null then 'shown' \
         when sent_at is not null then 'sent' when refused_at is not null then 'refused' else 'waits' end \
         as state from pushes order by state",
    );
    let rows = db.query_all_raw(query).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "state").unwrap())
        .collect()
}

async fn waiting_parcels(app: &App) -> i64 {
    count(
        app,
        "select count(*) as n from outbox where state = 'waiting'",
    )
    .await
}

on_each_database! {
    async fn a_push_service_is_sent_what_the_standards_say(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        site.push(ann.client_id).await;
        let sign_on: Uuid = ann.waiting().await;
        app.clock.advance(30);
        assert_eq!(app.deliver().await, 1);
        let sent = service.take().remove(0);
        assert_eq!(sent.path, "/send/abc?x=1");
        assert_eq!((sent.header("urgency"), sent.header("ttl"), sent.header("content-encoding")), ("high", "570", "aes128gcm"));
        assert_eq!(sent.header("topic"), URL_SAFE_NO_PAD.encode(sign_on.as_bytes()));
        assert!(!String::from_utf8_lossy(&sent.body).contains("a.example"));
        // Whoever we are, it is who the phone subscribed to.
        let own: Value = ann.phone.device().await.unwrap();
        let (token, key) = sent.header("authorization").strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(own["web_push_key"], key);
        let point = URL_SAFE_NO_PAD.decode(key).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
        let checking = DecodingKey::from_ec_components(&URL_SAFE_NO_PAD.encode(&point[1..33]), &URL_SAFE_NO_PAD.encode(&point[33..])).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&[&service.url]);
        let claims = decode::<Value>(token, &checking, &rules).unwrap().claims;
        let life = claims["exp"].as_i64().unwrap() - app.clock.now().timestamp();
        assert!(life > 0 && life <= 86_400 && claims["sub"].is_string());
        assert_eq!(states(&app).await, ["sent"]);
        // The phone says what its person saw; of another phone's push it says nothing.
        let bob = site.enrolled("bob@example.com").await;
        for (phone, seen) in [(&bob.phone, "sent"), (&ann.phone, "shown")] {
            phone.call("/login/shown", &json!({ "sign_on_id": sign_on })).await.unwrap();
            assert_eq!(states(&app).await, [seen]);
        }
        ann.phone.deny(sign_on, false).await.unwrap();
        assert_eq!(states(&app).await, ["opened"]);
        assert_eq!(app.deliver().await, 0);
    }

    async fn a_subscription_that_is_gone_is_forgotten_and_the_inbox_stays(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        service.next([Reaction::Answer(410, None)]);
        site.push(ann.client_id).await;
        app.deliver().await;
        assert_eq!(states(&app).await, ["refused"]);
        site.push(ann.client_id).await;
        assert_eq!((app.deliver().await, states(&app).await), (0, vec!["refused".to_owned(), "waits".to_owned()]));
        assert_eq!(ann.phone.pending(0).await.unwrap().len(), 2);
    }

    async fn what_fails_is_tried_again_within_the_life_of_the_sign_on(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        service.next([Reaction::Answer(503, None), Reaction::Answer(429, Some(("retry-after", "20".to_owned())))]);
        site.push(ann.client_id).await;
        assert_eq!(app.deliver().await, 1);
        app.clock.advance(1);
        assert_eq!(app.deliver().await, 1);
        app.clock.advance(19);
        assert_eq!(app.deliver().await, 0);
        app.clock.advance(1);
        assert_eq!(app.deliver().await, 1);
        assert_eq!(states(&app).await, ["sent"]);
        service.usually(Reaction::Answer(500, None));
        site.push(ann.client_id).await;
        let mut attempts = 0;
        for _ in 0..700 {
            attempts += app.deliver().await;
            app.clock.advance(1);
        }
        assert!((8..40).contains(&attempts), "{attempts}");
        // The last wait may end in the last second of its life, which this clock skips.
        app.app.sweep().await.unwrap();
        assert_eq!(waiting_parcels(&app).await, 0);
    }

    async fn nobody_is_woken_for_what_is_over_and_one_phone_stops_no_other(app: App, |settings| nearby_and_impatient(settings)) {
        let (service, other) = (Receiver::start().await, Receiver::start().await);
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        site.push(ann.client_id).await;
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        app.deliver().await;
        assert!(service.take().is_empty());
        service.usually(Reaction::Hang);
        let bob = subscribed(&site, "bob@example.com", &other).await;
        site.push(ann.client_id).await;
        site.push(bob.client_id).await;
        app.deliver().await;
        assert_eq!((service.take().len(), other.take().len()), (1, 1));
        // Who leaves is told nothing more.
        site.push(bob.client_id).await;
        site.post("/client/delete", &json!({ "id": bob.client_id })).await;
        assert_eq!(waiting_parcels(&app).await, 1, "Ann's");
    }

    async fn what_was_over_before_anybody_came_to_it_is_told(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let (ann, bob) = (
            subscribed(&site, "ann@example.com", &service).await,
            subscribed(&site, "bob@example.com", &service).await,
        );
        // Ann's is never tried, Bob takes up what he finds in his inbox, and a server stops in the middle of a third.
        for person in [&ann, &bob] {
            site.push(person.client_id).await;
        }
        bob.phone.deny(bob.waiting().await, false).await.unwrap();
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        let (db, begun) = (&app.app.state.db, app.clock.now() - TimeDelta::days(1));
        let failed = push::latest(db, site.site_id, true, 10).await.unwrap();
        let late = "its time was over before it could be sent";
        assert_eq!(failed.iter().map(|push| push.said.as_str()).collect::<Vec<_>>(), [late]);
        assert!(failed[0].told().ends_with(&format!("not taken, {late}")), "{}", failed[0].told());
        assert_eq!((app.deliver().await, service.take().len()), (0, 0));
        site.push(ann.client_id).await;
        service.next([Reaction::Hang]);
        let (carrier, server) = (Arc::clone(&app.app.outbox), app.app.state.clone());
        let dying = tokio::spawn(async move { carrier.carry_due(&server).await });
        service.until(1).await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        let lately = push::lately(db, site.site_id, begun).await.unwrap();
        assert_eq!((lately.sent, lately.failed), (0, 2));
        assert_eq!(lately.said, "the server stopped while it was sent, and its time was over");
        // One that failed says why it did.
        site.push(ann.client_id).await;
        service.next([Reaction::Answer(503, None)]);
        app.deliver().await;
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        let lately = push::lately(db, site.site_id, begun).await.unwrap();
        assert_eq!((lately.failed, lately.said.as_str()), (3, "503"));
    }

    async fn what_came_to_a_phone_before_a_crash_does_not_come_again(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        // The server dies while the push service has the message; what the phone says meanwhile comes to another server.
        for (body, state) in [(json!({}), "shown"), (json!({ "opened": true }), "opened")] {
            service.next([Reaction::Hang]);
            site.push(ann.client_id).await;
            let sign_on: Uuid = ann.waiting().await;
            let (carrier, server) = (Arc::clone(&app.app.outbox), app.app.state.clone());
            let dying = tokio::spawn(async move { carrier.carry_due(&server).await });
            service.until(1).await;
            dying.abort();
            assert!(dying.await.unwrap_err().is_cancelled());
            let mut told = body.clone();
            told["sign_on_id"] = json!(sign_on);
            ann.phone.call("/login/shown", &told).await.unwrap();
            app.clock.advance(61);
            assert_eq!((app.deliver().await, service.take().len()), (1, 1), "{state}");
            assert_eq!((states(&app).await.contains(&state.to_owned()), waiting_parcels(&app).await), (true, 0));
            ann.phone.deny(sign_on, false).await.unwrap();
        }
        // It dies between the note that the message was taken and the end of the parcel.
        app.clock.advance(1);
        site.push(ann.client_id).await;
        assert_eq!((app.deliver().await, service.take().len()), (1, 1));
        let again = "update outbox set state = 'waiting', ended_at = null where ended_at = (select max(ended_at) from outbox)";
        app.app.state.db.execute_unprepared(again).await.unwrap();
        assert_eq!((app.deliver().await, service.take().len(), waiting_parcels(&app).await), (1, 0, 0));
        assert!(push::latest(&app.app.state.db, site.site_id, true, 10).await.unwrap().is_empty());
    }

    async fn a_key_that_was_replaced_wakes_those_who_subscribed_for_it(app: App, |settings| nearby(settings)) {
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        let ann = subscribed(&site, "ann@example.com", &service).await;
        let in_force = async || ann.phone.device().await.unwrap()["web_push_key"].as_str().unwrap().to_owned();
        let signed_by = async || {
            site.push(ann.client_id).await;
            app.deliver().await;
            let sent = service.take();
            sent.first().map(|sent| sent.header("authorization").split_once(", k=").unwrap().1.to_owned())
        };
        let first = in_force().await;
        push::rotate_key(&app.app.state.db, &operator(&app).await, false, app.clock.now()).await.unwrap();
        let second = in_force().await;
        assert_ne!(first, second);
        assert_eq!(signed_by().await.as_ref(), Some(&first));
        // It is kept while somebody is subscribed for it, and goes then.
        let kept = async || {
            app.clock.advance(7300);
            app.app.sweep().await.unwrap();
            count(&app, "select count(*) as n from keys where purpose = 'web_push'").await
        };
        assert_eq!(kept().await, 2);
        let mut push = subscription(&service.url);
        push["key"] = json!("BPub");
        assert_eq!(code(ann.phone.call("/device/push", &json!({ "push": push })).await), 1006);
        push["key"] = json!(second);
        ann.phone.call("/device/push", &json!({ "push": push })).await.unwrap();
        assert_eq!(signed_by().await.as_ref(), Some(&second));
        assert_eq!(kept().await, 1);
    }

    async fn several_servers_carry_each_push_once(app: App, |settings| nearby(settings)) {
        let other = App::start(app.database.clone(), nearby).await;
        let service = Receiver::start().await;
        let site = app.site("a.example").await;
        const PEOPLE: usize = 8;
        for number in 0..PEOPLE {
            let one = subscribed(&site, &format!("p{number}@example.com"), &service).await;
            site.push(one.client_id).await;
        }
        other.clock.advance(1);
        let (ours, theirs) = tokio::join!(app.deliver(), other.deliver());
        assert_eq!((ours + theirs, service.take().len()), (PEOPLE, PEOPLE));
        assert_eq!(states(&app).await, ["sent"; PEOPLE]);
    }

    async fn a_phone_cannot_name_an_address_near_the_server(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        for endpoint in ["http://push.example/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest"] {
            let sent = ann.phone.call("/device/push", &json!({ "push": subscription(endpoint) })).await;
            assert_eq!(code(sent), 1006, "{endpoint}");
        }
    }
}
