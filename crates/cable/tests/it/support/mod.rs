//! What the tests have in common.

mod app;
mod server;
mod socket;
mod twins;

use std::sync::Arc;
use std::time::Duration;

use cable::{Cable, Clock, Opening, Options, Outgoing, Protocol};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use app::{App, User};
pub(crate) use server::{Server, Socket};
pub(crate) use socket::{Wire, socket};
pub(crate) use twins::Twins;

/// What the clock of the tests shows when they begin.
pub(crate) const START: u64 = 1_700_000_000;

/// Settings with a clock that follows Tokio's paused time.
pub(crate) fn options() -> Options {
    let start = Instant::now();
    let clock = Clock::new(move || Duration::from_secs(START) + start.elapsed());
    Options {
        clock,
        ..Options::default()
    }
}

/// A client connected through memory.
pub(crate) struct Client {
    pub(crate) wire: Wire,
    pub(crate) session: JoinHandle<()>,
}

impl Client {
    pub(crate) fn connect(cable: &Cable, app: &Arc<App>, name: &str) -> Self {
        Self::open(cable, app, name, Opening::new(Protocol::V1Json))
    }

    pub(crate) fn open(cable: &Cable, app: &Arc<App>, name: &str, opening: Opening) -> Self {
        let (wire, socket) = socket();
        let user = User {
            name: name.to_owned(),
        };
        let session = tokio::spawn(cable.serve(Arc::clone(app), user, opening, socket));
        Self { wire, session }
    }

    /// Connects and hears the welcome.
    pub(crate) async fn welcomed(cable: &Cable, app: &Arc<App>, name: &str) -> Self {
        let client = Self::connect(cable, app, name);
        assert_eq!(client.json().await["type"], "welcome");
        client
    }

    pub(crate) fn send(&self, command: &str, identifier: &str) {
        let frame = serde_json::json!({"command": command, "identifier": identifier});
        self.wire.send(frame.to_string());
    }

    /// The next frame from the server, which must be JSON.
    pub(crate) async fn json(&self) -> Value {
        match self.wire.recv().await {
            Some(Outgoing::Text(text)) => serde_json::from_slice(&text).unwrap(),
            other => panic!("expected JSON, got {other:?}"),
        }
    }

    /// The next frame and what it is about: its type, or its message.
    pub(crate) async fn gist(&self) -> Value {
        let mut frame = self.json().await;
        let kind = if frame["type"].is_null() {
            "message"
        } else {
            "type"
        };
        frame[kind].take()
    }

    /// Everything that has been sent, once all tasks rest.
    pub(crate) async fn gists(&self) -> Vec<Value> {
        settle().await;
        let mut all = Vec::new();
        while self.wire.has_frame() {
            all.push(self.gist().await);
        }
        all
    }
}

/// Lets all tasks run until they wait: paused time moves on only then.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// The identifier of a room.
pub(crate) fn room(id: &str) -> String {
    format!(r#"{{"channel":"Room","id":"{id}"}}"#)
}

/// A runtime in which time moves on only when all tasks wait.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}
