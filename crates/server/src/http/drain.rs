//! Lets a client finish sending what was refused.
//!
//! A server that answers early and closes makes the system reset the connection, and the client
//! loses the answer that would have told it what was wrong. So what is left of a refused body is
//! taken in and thrown away, within bounds, before the answer goes out.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header::EXPECT,
    middleware::Next,
    response::Response,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

/// Most bytes thrown away for one request.
const MOST: usize = 64 * 1024 * 1024;
/// Longest time spent on it.
const LONGEST: Duration = Duration::from_secs(10);

/// A body that a handler may leave unread.
#[derive(Clone)]
struct Lent(Arc<Mutex<Lending>>);

struct Lending {
    body: Body,
    asked_for: bool,
}

impl Lent {
    fn lock(&self) -> MutexGuard<'_, Lending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut lending = self.lock();
        lending.asked_for = true;
        Pin::new(&mut lending.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}

/// Answers, and takes in what the handler left of the body.
pub async fn drain(request: Request, next: Next) -> Response {
    let asks_first = request.headers().contains_key(EXPECT);
    let (parts, body) = request.into_parts();
    let lent = Lent(Arc::new(Mutex::new(Lending {
        body,
        asked_for: false,
    })));
    let request = Request::from_parts(parts, Body::new(lent.clone()));
    let response = next.run(request).await;
    // A client that asks before it sends, and was not told to, sends nothing.
    let is_coming = !asks_first || lent.lock().asked_for;
    if is_coming && !lent.is_end_stream() {
        // Whether the client finishes or not, the answer is the same.
        let _ = tokio::time::timeout(LONGEST, throw_away(lent)).await;
    }
    response
}

async fn throw_away(mut body: Lent) {
    let mut thrown = 0;
    while let Some(Ok(frame)) = body.frame().await {
        thrown += frame.data_ref().map_or(0, Bytes::len);
        if thrown > MOST {
            break;
        }
    }
}
