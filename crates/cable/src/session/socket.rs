//! What passes between a session and its transport.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use crate::frame::{self, Protocol};
use crate::options::Disconnect;

/// WebSocket close codes (RFC 6455, section 7.4.1).
pub(crate) const NORMAL: u16 = 1000;
pub(crate) const TOO_BIG: u16 = 1009;

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message, whole. What is not UTF-8 or not JSON is ignored.
    Text(Bytes),
    /// A binary message; no protocol spoken here has any, so they are ignored.
    Binary,
    /// A message of more than [`Options::max_frame_bytes`](crate::Options::max_frame_bytes), which
    /// was not read to its end.
    TooLarge,
    /// The answer to [`Outgoing::Ping`], with its number.
    Pong(u32),
    /// The client closes the connection.
    Close,
}

/// A frame to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message; the bytes are UTF-8.
    Text(Bytes),
    /// The transport's own ping (not the protocol's, which is text). Its answer proves that what
    /// was sent before has been received. A transport without pings may leave it out.
    Ping(u32),
    /// The server closes the connection, and says why.
    Close {
        /// A code of RFC 6455, section 7.4.1.
        code: u16,
        /// The reason, for people.
        reason: Cow<'static, str>,
    },
}

impl From<Bytes> for Outgoing {
    fn from(text: Bytes) -> Self {
        Self::Text(text)
    }
}

/// What is known of a connection when it opens.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Opening {
    /// The dialect it speaks.
    pub protocol: Protocol,
    /// The session it wants to resume (`sid` in the query of `@anycable/core`).
    pub sid: Option<String>,
}

impl Opening {
    /// A connection that speaks this protocol and resumes nothing.
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            sid: None,
        }
    }

    /// The same, to resume the session of this name if it is still known.
    #[must_use]
    pub fn resuming(mut self, sid: impl Into<String>) -> Self {
        self.sid = Some(sid.into());
        self
    }
}

/// Sends `disconnect`, closes, and waits for the client to close too.
pub(crate) async fn send_disconnect<S, E>(
    socket: &mut S,
    disconnect: &Disconnect,
    code: u16,
    timeout: Duration,
) where
    S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
{
    let last = frame::disconnect(&disconnect.reason, disconnect.reconnect);
    let close = Outgoing::Close {
        code,
        reason: disconnect.reason.clone(),
    };
    let parting = async {
        socket.feed(Outgoing::Text(last)).await.ok()?;
        socket.send(close).await.ok()?;
        while let Some(Ok(frame)) = socket.next().await {
            if frame == Incoming::Close {
                break;
            }
        }
        Some(())
    };
    // Whoever does not close in time is cut off.
    let _ = tokio::time::timeout(timeout, parting).await;
}
