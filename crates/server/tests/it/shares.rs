//! One who takes all they can get leaves the others theirs: face workers, connections, waiting phones, subscriptions.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use face::{Asked, FaceEngine, Frame, PackInfo, PhotoError, Purpose, Scan, Template};
use serde_json::json;
use testkit::{App, Backend, Engine, Person, Scripted, on_each_database};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::device_register::code;

/// An engine that looks at nothing until it is let, and remembers whose photo it looked at.
struct Gated {
    engine: Scripted,
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Default)]
struct Gate {
    is_shut: bool,
    /// How many may pass.
    allowed: usize,
    seen: Vec<String>,
}

impl Gated {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            engine: Scripted::version("1"),
            gate: Mutex::default(),
            moved: Condvar::new(),
        })
    }

    fn shut(&self) {
        self.gate.lock().unwrap().is_shut = true;
    }

    fn let_all_pass(&self) {
        self.gate.lock().unwrap().allowed = usize::MAX;
        self.moved.notify_all();
    }

    /// The photos that were looked at since it was shut.
    fn seen(&self) -> Vec<String> {
        self.gate.lock().unwrap().seen.clone()
    }

    fn pass(&self, photo: &[u8]) {
        let mut gate = self.gate.lock().unwrap();
        if gate.is_shut {
            gate.seen.push(String::from_utf8_lossy(photo).into_owned());
            while gate.allowed == 0 {
                gate = self.moved.wait(gate).unwrap();
            }
            gate.allowed -= 1;
        }
    }
}

impl FaceEngine for Gated {
    fn pack(&self) -> &PackInfo {
        self.engine.pack()
    }

    fn template(&self, photo: &[u8]) -> Result<Template, PhotoError> {
        self.pass(photo);
        self.engine.template(photo)
    }

    fn scan(
        &self,
        frames: &[Frame<'_>],
        asked: Asked<'_>,
        purpose: Purpose,
    ) -> Result<Scan, PhotoError> {
        self.pass(frames[0].photo);
        self.engine.scan(frames, asked, purpose)
    }
}

/// Waits until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn face(x: f32) -> Vec<u8> {
    Scripted::photo(&[x, 0.5])
}

async fn enrolled(site: &Backend, email: &str, x: f32) -> Person {
    let person = site.paired(email).await;
    person.phone.enrol(&[face(x)]).await.unwrap();
    person
}

on_each_database! {
    async fn a_site_that_floods_the_face_workers_waits_behind_its_own(app: App) {
        let engine = Gated::new();
        let app = App::start_with(app.database.clone(), engine.clone(), |settings| {
            settings.face.workers = 1;
            settings.face.queue = 15;
            settings.limits.enrol_per_device = 1000;
        }).await;
        let (loud, quiet) = (app.site("loud.example").await, app.site("quiet.example").await);
        let ann = enrolled(&quiet, "ann@example.com", 0.25).await;
        quiet.push(ann.client_id).await;
        let id = ann.waiting().await;
        let people = [loud.paired("bob@example.com").await, loud.paired("cy@example.com").await];
        engine.shut();
        let mut flood = Vec::new();
        for person in people {
            let (phone, count) = (Arc::new(person.phone), 4);
            for _ in 0..count {
                let phone = phone.clone();
                flood.push(tokio::spawn(async move { phone.enrol(&[face(0.75)]).await }));
            }
        }
        // Eight are half of what may wait and work: no more of this site.
        until(|| app.app.state.engine.places_left() == 8).await;
        until(|| !engine.seen().is_empty()).await;
        let client = loud.client("dee@example.com").await.to_string();
        assert_eq!(loud.upload(&client, face(0.75)).await.code(), 5003);
        let scan = tokio::spawn(async move { ann.phone.scan(id, None, &[face(0.25)]).await });
        until(|| app.app.state.engine.places_left() == 7).await;
        engine.let_all_pass();
        scan.await.unwrap().unwrap();
        for one in flood {
            // The faces of one person who enrols several times at once: whatever they are told, they were looked at.
            let _ = one.await.unwrap();
        }
        assert_eq!(app.app.state.engine.places_left(), 16);
        let seen = engine.seen();
        assert_eq!(seen.len(), 9);
        assert!(seen[1].contains("0.25"), "the other site's turn came after the one that was at work: {seen:?}");
    }

    async fn a_phone_waits_four_times_at_once_and_a_site_for_half_of_all(
        app: App, |settings| settings.server.connections = 64
    ) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let polls = &app.app.state.polls;
        let mut waiting = Vec::new();
        let mut wait = |person: &Arc<Person>| {
            let person = person.clone();
            waiting.push(tokio::spawn(async move { person.phone.pending(25).await }));
        };
        let mut people = Vec::new();
        for at in 0..5 {
            people.push(Arc::new(site.paired(&format!("p{at}@example.com")).await));
        }
        for person in &people[..4] {
            for _ in 0..4 {
                wait(person);
            }
        }
        until(|| polls.left() == 16).await;
        assert_eq!(code(people[0].phone.pending(25).await), 5003, "four for one phone");
        assert_eq!(code(people[4].phone.pending(25).await), 5003, "sixteen for one site");
        assert!(people[4].phone.pending(0).await.unwrap().is_empty(), "who does not wait needs no place");
        let ann = Arc::new(other.enrolled("ann@example.com").await);
        wait(&ann);
        until(|| polls.left() == 15).await;
        other.push(ann.client_id).await;
        let heard = waiting.pop().unwrap().await.unwrap().unwrap();
        assert_eq!(heard.len(), 1);
        app.app.state.wake_ups.end_waiting();
        for one in waiting {
            one.await.unwrap().unwrap();
        }
        until(|| polls.left() == 32).await;
    }

    async fn a_site_has_half_of_all_subscriptions(
        app: App, |settings| settings.server.connections = 10
    ) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let (ann, bob) = (site.client("ann@example.com").await, other.client("bob@example.com").await);
        let subscriptions = &app.app.state.subscriptions;
        let mut loud = site.page().await;
        for at in 0..10 {
            loud.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann, "n": at })).await;
            loud.confirmed().await;
        }
        assert_eq!(subscriptions.left(), 10);
        let mut further = site.page().await;
        further.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann })).await;
        assert_eq!(further.next().await.unwrap()["type"], "welcome");
        assert_eq!(further.next().await.unwrap()["reason"], "rate_limited");
        let mut quiet = other.page().await;
        let theirs = quiet.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": bob })).await;
        quiet.confirmed().await;
        // What ends gives its share back: one by one, or with the page.
        quiet.unsubscribe(&theirs).await;
        until(|| subscriptions.left() == 10).await;
        drop(loud);
        until(|| subscriptions.left() == 20).await;
        let mut again = site.page().await;
        again.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann })).await;
        again.confirmed().await;
    }
}

/// The answer to a request on a connection of its own.
async fn ask(app: &App, path: &str) -> String {
    let address = app.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() >= length.parse().unwrap() {
                return text.into_owned();
            }
        }
        match stream.read(&mut some).await.unwrap() {
            0 => return String::from_utf8_lossy(&answer).into_owned(),
            count => answer.extend_from_slice(&some[..count]),
        }
    }
}

#[test]
fn supervisors_are_answered_while_all_connections_are_taken() {
    let few = |settings: &mut server::platform::config::Settings| settings.server.connections = 5;
    App::run(Engine::Sqlite, few, async |app| {
        let address = app.url.trim_start_matches("http://").to_owned();
        let mut idle = Vec::new();
        for _ in 0..5 {
            idle.push(TcpStream::connect(&address).await.unwrap());
        }
        for path in ["/health/live", "/health/ready"] {
            let answer = ask(&app, path).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
        let shed = ask(&app, "/.well-known/jwks.json").await;
        assert!(
            shed.starts_with("HTTP/1.1 503") && shed.contains("\"code\":5003"),
            "{shed}"
        );
        assert!(shed.contains("retry-after: "), "{shed}");
        idle.pop();
        while !ask(&app, "/.well-known/jwks.json")
            .await
            .starts_with("HTTP/1.1 200")
        {
            tokio::task::yield_now().await;
        }
    });
}
