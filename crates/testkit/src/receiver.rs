//! Somebody else's HTTP server, which answers as a test tells it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
};
use tokio::{net::TcpListener, sync::Notify};

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// With a status, and perhaps a header.
    Answer(u16, Option<(&'static str, String)>),
    /// With a status and a body.
    Say(u16, String),
    /// With a body that does not end.
    Endless,
    /// Not at all.
    Hang,
}

/// What was sent.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path, with its query.
    pub path: String,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// A header that must be there.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        value.to_str().expect("text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct Told {
    next: VecDeque<Reaction>,
    usual: Option<Reaction>,
    received: Vec<Received>,
}

/// A server on a random port of this machine.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens, `http://127.0.0.1:port`.
    pub url: String,
    told: Arc<Mutex<Told>>,
    came: Arc<Notify>,
}

impl Receiver {
    /// Starts one that answers everything with 200.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let receiver = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            told: Arc::default(),
            came: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// Answers the next requests like this, one each.
    pub fn next(&self, reactions: impl IntoIterator<Item = Reaction>) {
        self.told().next.extend(reactions);
    }

    /// Answers like this whatever is not told otherwise.
    pub fn usually(&self, reaction: Reaction) {
        self.told().usual = Some(reaction);
    }

    /// What has come, in its order; it is forgotten here.
    #[must_use]
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.told().received)
    }

    /// Waits until so many requests have come and were not taken.
    pub async fn until(&self, count: usize) {
        loop {
            let came = self.came.notified();
            if self.told().received.len() >= count {
                return;
            }
            came.await;
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    State(receiver): State<Receiver>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let reaction = {
        let mut told = receiver.told();
        let path = uri.to_string();
        told.received.push(Received {
            path,
            headers,
            body,
        });
        let next = told.next.pop_front();
        next.or_else(|| told.usual.clone())
    };
    receiver.came.notify_one();
    let status = |status| StatusCode::from_u16(status).expect("a status");
    let mut response = Response::new(Body::empty());
    match reaction {
        None => {}
        Some(Reaction::Answer(code, header)) => {
            *response.status_mut() = status(code);
            if let Some((name, value)) = header {
                let value = value.parse().expect("a header's value");
                response.headers_mut().insert(name, value);
            }
        }
        Some(Reaction::Say(code, text)) => {
            *response.status_mut() = status(code);
            *response.body_mut() = Body::from(text);
        }
        Some(Reaction::Endless) => {
            let more = futures_util::stream::repeat_with(|| {
                Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b' '; 65536]))
            });
            *response.body_mut() = Body::from_stream(more);
        }
        Some(Reaction::Hang) => std::future::pending().await,
    }
    response
}
