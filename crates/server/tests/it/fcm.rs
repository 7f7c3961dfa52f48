//! Pushes to native apps by FCM, against a Google that checks and fails as the real one does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::{
    platform::{clock::Clock, config, outgoing::Outgoing},
    push::{self, AccountError, Fcm, KeyFile, Means},
};
use testkit::{App, Backend, Google, Person, Slow, on_each_database};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{device_facial::count, site_tokens::operator, web_push::states, webhooks::nearby};

/// The app, with pushes by FCM going to this Google.
pub(crate) async fn with(app: &App, google: &Google) -> App {
    with_patience(app, google, None).await
}

/// The same, waiting for an answer for so many seconds.
async fn with_patience(app: &App, google: &Google, timeout: Option<u32>) -> App {
    let url = google.url.clone();
    let change = move |settings: &mut config::Settings| {
        nearby(settings);
        settings.outgoing.timeout = timeout.unwrap_or(settings.outgoing.timeout);
        settings.push.fcm = url.clone();
        settings.push.fcm_tokens = format!("{url}/token");
    };
    let app = App::start(app.database.clone(), change).await;
    bring(&app, google, None).await;
    app
}

async fn bring(app: &App, google: &Google, site_id: Option<Uuid>) {
    let file = KeyFile::read(&google.key_file().to_string()).unwrap();
    let (keys, now) = (operator(app).await, app.clock.now());
    push::set_account((&app.app.state.db, &keys), site_id, &file, now)
        .await
        .unwrap();
}

pub(crate) fn registration(name: &str) -> String {
    format!("fcm-registration-token-of-{name}")
}

/// A person whose phone has a native app.
pub(crate) async fn native(site: &Backend, name: &str) -> Person {
    let person = site.enrolled(&format!("{name}@example.com")).await;
    let push = json!({ "push": { "kind": "fcm", "token": registration(name) } });
    person.phone.call("/device/push", &push).await.unwrap();
    person
}

/// Has the app deliver what is due, beside the test.
fn delivering(app: &App) -> JoinHandle<usize> {
    let (outbox, state) = (app.app.outbox.clone(), app.app.state.clone());
    tokio::spawn(async move { outbox.carry_due(&state).await.unwrap() })
}

/// What is said of the pushes of a site that no push service took, the newest first.
async fn failures(app: &App, site: &Backend) -> Vec<String> {
    let failed = push::latest(&app.app.state.db, site.site_id, true, 20).await;
    failed.unwrap().into_iter().map(|push| push.said).collect()
}

/// The account of one Google is listed, replaced by that of another, and taken away.
pub(crate) async fn account_is_cared_for(app: &App) {
    let (first, second) = (Google::start().await, Google::start().await);
    let app = with(app, &first).await;
    let site = app.site("fcm.example").await;
    let ann = native(&site, "ann").await;
    let (db, keys) = (&app.app.state.db, operator(&app).await);
    let listed = async || push::accounts(db).await.unwrap().len();
    let wakes = async || {
        site.push(ann.client_id).await;
        app.deliver().await;
        app.clock.advance(70);
        app.deliver().await;
        first.take().len() == 1
    };
    assert_eq!(listed().await, 1);
    assert!(wakes().await);
    // Another's key, which the first Google does not know.
    bring(&app, &second, None).await;
    assert_eq!(listed().await, 1);
    assert!(!wakes().await);
    bring(&app, &first, None).await;
    app.clock.advance(600);
    assert!(wakes().await);
    push::remove_account((db, &keys), None, app.clock.now())
        .await
        .unwrap();
    assert_eq!(listed().await, 0);
    assert!(!wakes().await);
}

on_each_database! {
    async fn an_app_is_sent_what_wakes_it_and_no_number(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        site.push(ann.client_id).await;
        let sign_on = ann.waiting().await.to_string();
        app.clock.advance(30);
        assert_eq!(app.deliver().await, 1);
        let sent = google.take().remove(0);
        let message = &sent["message"];
        assert_eq!(message["token"], registration("ann"));
        assert_eq!(message["data"]["sign_on_id"], sign_on);
        assert_eq!(message["data"]["site_domain"], "a.example");
        assert_eq!(message["android"], json!({ "priority": "HIGH", "collapse_key": sign_on, "ttl": "570s" }));
        assert_eq!(message["apns"]["headers"]["apns-priority"], "10");
        assert_eq!(message["apns"]["headers"]["apns-collapse-id"], sign_on);
        assert_eq!(message["webpush"]["headers"]["TTL"], "570");
        assert!(!sent.to_string().contains("number"));
        assert_eq!(states(&app).await, ["sent"]);
        // The token is good for an hour, whoever is woken meanwhile.
        let bob = native(&site, "bob").await;
        site.push(bob.client_id).await;
        app.deliver().await;
        assert_eq!(google.tokens_given(), 1);
        app.clock.advance(3600);
        site.push(ann.client_id).await;
        app.deliver().await;
        assert_eq!((google.tokens_given(), google.take().len()), (2, 2));
    }

    async fn an_app_that_was_removed_is_pushed_to_no_more_until_it_is_heard_of(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        google.remove(&registration("ann"));
        site.push(ann.client_id).await;
        app.deliver().await;
        assert_eq!(states(&app).await, ["refused"]);
        let again = async || site.post("/login/push_notification", &json!({ "id": ann.client_id })).await.code();
        assert_eq!(again().await, 1012);
        // Somebody uses it after all: its inbox works, and a new address does.
        app.clock.advance(61);
        ann.phone.pending(0).await.unwrap();
        assert_eq!(again().await, 0);
        let push = json!({ "push": { "kind": "fcm", "token": registration("ann again") } });
        ann.phone.call("/device/push", &push).await.unwrap();
        site.push(ann.client_id).await;
        app.deliver().await;
        assert_eq!(google.take().len(), 1);
    }

    async fn what_passes_is_waited_for(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        google.next([(429, "QUOTA_EXCEEDED", None), (503, "UNAVAILABLE", Some(("retry-after", "20")))]);
        site.push(ann.client_id).await;
        assert_eq!(app.deliver().await, 1);
        // Google does not say for how long the quota is used up: a minute.
        app.clock.advance(59);
        assert_eq!(app.deliver().await, 0);
        app.clock.advance(1);
        assert_eq!(app.deliver().await, 1);
        app.clock.advance(19);
        assert_eq!(app.deliver().await, 0);
        app.clock.advance(1);
        assert_eq!((app.deliver().await, google.take().len()), (1, 1));
        // A token that ended early is replaced, and the push goes all the same.
        google.end_tokens();
        site.push(ann.client_id).await;
        assert_eq!((app.deliver().await, google.take().len()), (1, 0));
        app.clock.advance(1);
        assert_eq!((app.deliver().await, google.take().len(), google.tokens_given()), (1, 1, 2));
        // An account that gets no tokens is asked for one now and then, not for each push.
        google.end_tokens();
        google.give_tokens(false);
        site.push(ann.client_id).await;
        for _ in 0..8 {
            app.deliver().await;
            app.clock.advance(2);
        }
        assert!(google.take().is_empty());
        google.give_tokens(true);
        app.clock.advance(60);
        assert_eq!((app.deliver().await, google.take().len()), (1, 1));
    }

    async fn a_site_with_an_app_of_its_own_has_its_own_account(app: App) {
        let (google, other) = (Google::start().await, Google::start().await);
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        // The same address of an account, and another key: Google knows it no more.
        bring(&app, &other, Some(site.site_id)).await;
        site.push(ann.client_id).await;
        app.deliver().await;
        assert!(google.take().is_empty());
        let (db, keys) = (&app.app.state.db, operator(&app).await);
        let listed: Vec<_> = push::accounts(db).await.unwrap().iter().map(push::Account::site_id).collect();
        assert_eq!(listed, [None, Some(site.site_id)]);
        push::remove_account((db, &keys), Some(site.site_id), app.clock.now()).await.unwrap();
        app.clock.advance(10);
        app.deliver().await;
        assert_eq!(google.take().len(), 1);
        push::remove_account((db, &keys), None, app.clock.now()).await.unwrap();
        let none = push::remove_account((db, &keys), None, app.clock.now()).await;
        assert!(matches!(none, Err(AccountError::NotFound)));
        site.push(ann.client_id).await;
        app.deliver().await;
        assert_eq!(states(&app).await, ["refused", "sent"]);
        // That says nothing about the phone.
        assert_eq!(count(&app, "select count(*) as n from devices where push_lost_at is not null").await, 0);
    }

    async fn what_a_slow_token_makes_late_is_not_sent(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        let slowly = async |seconds: i64| {
            let held = google.hold(Slow::Token);
            let delivered = delivering(&app);
            held.came().await;
            app.clock.advance(seconds);
            held.let_go();
            assert_eq!(delivered.await.unwrap(), 1);
        };
        // A second of its life is left when the token is asked for, which takes eight.
        site.push(ann.client_id).await;
        app.clock.advance(599);
        slowly(8).await;
        assert!(google.take().is_empty());
        assert_eq!(failures(&app, &site).await, ["its time was over before it could be sent"]);
        // It goes no more, and the token is good for others.
        assert_eq!((app.deliver().await, google.tokens_given()), (0, 1));
        assert!(google.take().is_empty());
        // With time left the message says how much.
        google.end_tokens();
        app.clock.advance(3600);
        site.push(ann.client_id).await;
        slowly(8).await;
        let sent = google.take().remove(0);
        assert_eq!(sent["message"]["android"]["ttl"], "592s");
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        // Whoever answered meanwhile is not asked again.
        app.clock.advance(3600);
        site.push(ann.client_id).await;
        let held = google.hold(Slow::Token);
        let delivered = delivering(&app);
        held.came().await;
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        app.clock.advance(8);
        held.let_go();
        assert_eq!((delivered.await.unwrap(), google.take().len(), app.deliver().await), (1, 0, 0));
    }

    async fn a_google_that_hangs_is_left_and_asked_again(app: App) {
        let google = Google::start().await;
        let app = with_patience(&app, &google, Some(2)).await;
        let site = app.site("a.example").await;
        let (ann, bob) = (native(&site, "ann").await, native(&site, "bob").await);
        // Both wait for the one token, and neither for longer than one answer may take.
        for person in [&ann, &bob] {
            site.push(person.client_id).await;
        }
        let held = google.hold(Slow::Token);
        let (begun, delivered) = (Instant::now(), delivering(&app));
        held.came().await;
        // As long as the wait for the answer is by the program's clock, which stands still here otherwise.
        app.clock.advance(10);
        assert_eq!((delivered.await.unwrap(), google.take().len()), (2, 0));
        assert!(begun.elapsed() < Duration::from_millis(3_900), "{:?}", begun.elapsed());
        for said in failures(&app, &site).await {
            assert_eq!(said, "no token from Google: no answer in time");
        }
        app.clock.advance(10);
        assert_eq!((app.deliver().await, google.take().len()), (2, 2));
        // A message that nobody looks at goes again; so does one that was taken while no answer came.
        for (at, taken) in [(Slow::Message, 0), (Slow::Answer, 1)] {
            site.push(ann.client_id).await;
            let held = google.hold(at);
            assert_eq!((app.deliver().await, google.take().len()), (1, taken));
            drop(held);
            assert_eq!(failures(&app, &site).await, ["no answer in time"]);
            app.clock.advance(2);
            assert_eq!((app.deliver().await, google.take().len()), (1, 1));
            assert!(failures(&app, &site).await.is_empty());
        }
        // Unless the phone showed it meanwhile.
        site.push(ann.client_id).await;
        let held = google.hold(Slow::Answer);
        let delivered = delivering(&app);
        held.came().await;
        let newest = ann.phone.pending(0).await.unwrap().remove(0);
        let shown = json!({ "sign_on_id": newest["sign_on_id"] });
        ann.phone.call("/login/shown", &shown).await.unwrap();
        assert_eq!((delivered.await.unwrap(), google.take().len()), (1, 1));
        app.clock.advance(2);
        assert_eq!((app.deliver().await, google.take().len()), (1, 0));
        assert!(failures(&app, &site).await.is_empty());
    }

    async fn nobody_is_waited_for_until_a_push_is_late(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        site.push(ann.client_id).await;
        app.clock.advance(599);
        let held = google.hold(Slow::Message);
        let begun = Instant::now();
        assert_eq!(app.deliver().await, 1);
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        drop(held);
        assert!(google.take().is_empty());
    }

    async fn a_trial_reaches_a_phone_and_asks_it_nothing(app: App) {
        let google = Google::start().await;
        let app = with(&app, &google).await;
        let site = app.site("a.example").await;
        let ann = native(&site, "ann").await;
        let (state, fcm) = (&app.app.state, Fcm::default());
        let outgoing = Outgoing::new(&state.settings.outgoing);
        let means = Means { db: &state.db, keys: &state.keys, settings: &state.settings, outgoing: &outgoing, clock: &*app.clock };
        let (row, phone) = (
            server::site::find(&state.db, site.site_id).await.unwrap().unwrap(),
            server::device::pushable(&state.db, site.site_id, ann.client_id, app.clock.now()).await.unwrap().remove(0),
        );
        let tried = push::try_out(&means, &fcm, &row, &phone).await.unwrap();
        assert_eq!(tried, push::Tried::Taken("200".into()));
        assert_eq!(google.take()[0]["message"]["data"]["topic"], "test");
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
        assert_eq!((app.deliver().await, states(&app).await), (0, Vec::new()));
    }
}

#[tokio::test]
async fn a_file_that_is_none_or_leads_elsewhere_is_not_taken() {
    let google = Google::start().await;
    let read = |change: &dyn Fn(&mut Value)| {
        let mut file = google.key_file();
        change(&mut file);
        KeyFile::read(&file.to_string())
    };
    assert!(read(&|_| {}).is_ok());
    for (field, value) in [
        ("type", "authorized_user"),
        ("project_id", "../../evil"),
        ("project_id", ""),
        ("client_email", "nobody"),
        ("private_key_id", "a/b"),
        (
            "private_key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
        ("token_uri", "https://evil.example/token"),
        ("token_uri", "http://169.254.169.254/"),
    ] {
        let refused = read(&|file| file[field] = json!(value));
        assert!(
            matches!(refused, Err(AccountError::File(_))),
            "{field} {value}"
        );
    }
    for text in ["", "[]", "{}", "not JSON"] {
        assert!(KeyFile::read(text).is_err(), "{text}");
    }
    // What is wrong is said without the key.
    let mut file = google.key_file();
    file["project_id"] = json!(5);
    let said = KeyFile::read(&file.to_string()).unwrap_err().to_string();
    assert!(!said.contains("PRIVATE"), "{said}");
}
