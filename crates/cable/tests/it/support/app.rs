//! The application behind the tests; `tests/conversations/README.md` describes it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::SeqCst;

use cable::{Application, Denied, Disconnect, Identifier, Message};
use serde::Deserialize;
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: String,
}

/// Channels: `Room {id}`, `Rooms {ids}`, `Echo`; everything else is rejected.
#[derive(Debug)]
pub(crate) struct App {
    /// What exists already, by stream.
    pub(crate) state: Mutex<HashMap<String, Message>>,
    /// Rooms nobody may enter.
    pub(crate) closed: Mutex<Vec<String>>,
    /// Users whose right to be connected is over.
    pub(crate) expired: Mutex<Vec<String>>,
    /// What `confirmed` fails with.
    pub(crate) ended: Mutex<Option<Disconnect>>,
    /// Subscriptions confirmed and not ended, as the application sees them.
    pub(crate) present: AtomicI64,
    /// One permit is taken by each `subscribe` and each `confirmed`, after they have looked.
    pub(crate) gate: Semaphore,
}

impl Default for App {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            closed: Mutex::default(),
            expired: Mutex::default(),
            ended: Mutex::default(),
            present: AtomicI64::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        }
    }
}

impl App {
    /// An application whose answers wait until permits are added to the gate.
    pub(crate) fn gated() -> Self {
        Self {
            gate: Semaphore::new(0),
            ..Self::default()
        }
    }

    pub(crate) fn set(&self, stream: &str, message: Message) {
        self.state
            .lock()
            .unwrap()
            .insert(stream.to_owned(), message);
    }

    async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

#[derive(Deserialize)]
#[serde(tag = "channel")]
enum Channel {
    Room { id: String },
    Rooms { ids: Vec<String> },
    Echo,
}

fn streams(identifier: &Identifier) -> Result<Vec<String>, Denied> {
    let stream = |id: String| format!("room:{id}");
    match identifier.params().map_err(|_| Denied::Subscription)? {
        Channel::Room { id } => Ok(vec![stream(id)]),
        Channel::Rooms { ids } => Ok(ids.into_iter().map(stream).collect()),
        Channel::Echo => Ok(Vec::new()),
    }
}

impl Application for App {
    type Connection = User;

    fn tags(&self, user: &User) -> Vec<String> {
        vec![format!("user:{}", user.name)]
    }

    fn check(&self, user: &User) -> Result<(), Disconnect> {
        match self.expired.lock().unwrap().contains(&user.name) {
            true => Err(Disconnect::token_expired()),
            false => Ok(()),
        }
    }

    async fn subscribe(&self, _: &User, identifier: &Identifier) -> Result<Vec<String>, Denied> {
        let streams = streams(identifier)?;
        let closed = self.closed.lock().unwrap().clone();
        self.pass().await;
        if streams.iter().any(|stream| closed.contains(stream)) {
            return Err(Denied::Subscription);
        }
        self.present.fetch_add(1, SeqCst);
        Ok(streams)
    }

    async fn confirmed(
        &self,
        _: &User,
        identifier: &Identifier,
    ) -> Result<Vec<Message>, Disconnect> {
        let streams = streams(identifier).unwrap_or_default();
        let existing = {
            let state = self.state.lock().unwrap();
            streams
                .iter()
                .filter_map(|stream| state.get(stream).cloned())
                .collect()
        };
        self.pass().await;
        match self.ended.lock().unwrap().clone() {
            Some(disconnect) => Err(disconnect),
            None => Ok(existing),
        }
    }

    async fn perform(&self, _: &User, _: &Identifier, data: serde_json::Value) -> Vec<Message> {
        vec![data.into()]
    }

    async fn unsubscribed(&self, _: &User, _: &Identifier) {
        self.present.fetch_sub(1, SeqCst);
    }
}
