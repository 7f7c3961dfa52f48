//! A WebSocket on a connection that hyper gives away (RFC 6455).
//!
//! The upgrade is done here and not by axum's extractor, so that the connection beneath stays
//! within reach: who sends a frame that is too large hears so only if the rest of it is read.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{Sink, Stream};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::session::{Incoming, Outgoing};

/// The version of the WebSocket protocol (RFC 6455, section 4.1).
const VERSION: &str = "13";

/// Bytes read at a time. The WebSocket library allocates them for every connection and would
/// take 128 KiB; commands of clients have a few hundred bytes.
const READ_BUFFER: usize = 1024;

/// Bytes gathered before they are written, where messages come in batches.
const WRITE_BUFFER: usize = 4096;

/// Reads of a connection whose frames are no longer wanted before other tasks have their turn.
const DISCARDS_AT_ONCE: usize = 16;

/// The request does not open a WebSocket of version 13: the answer is 426.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this route is for WebSockets of version 13")]
pub struct NotAWebSocket;

impl IntoResponse for NotAWebSocket {
    fn into_response(self) -> Response {
        let headers = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, VERSION)];
        (StatusCode::UPGRADE_REQUIRED, headers, self.to_string()).into_response()
    }
}

/// A request that asks for a WebSocket.
#[derive(Debug)]
pub(crate) struct Upgrade {
    accept: HeaderValue,
    connection: OnUpgrade,
}

impl Upgrade {
    /// Takes the connection out of a request that asks for a WebSocket (RFC 6455, section 4.2.1).
    pub(crate) fn from_parts(parts: &mut Parts) -> Result<Self, NotAWebSocket> {
        let asked = parts.method == Method::GET
            && lists(&parts.headers, &CONNECTION, "upgrade")
            && lists(&parts.headers, &UPGRADE, "websocket")
            && lists(&parts.headers, &SEC_WEBSOCKET_VERSION, VERSION);
        let key = parts.headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked);
        let accept = derive_accept_key(key.ok_or(NotAWebSocket)?.as_bytes());
        Ok(Self {
            accept: HeaderValue::try_from(accept).map_err(|_| NotAWebSocket)?,
            connection: parts.extensions.remove().ok_or(NotAWebSocket)?,
        })
    }

    /// Answers with the upgrade, and serves the WebSocket in a task of its own. A message of more
    /// than so many bytes comes as [`Incoming::TooLarge`].
    pub(crate) fn open<F>(
        self,
        protocol: Option<&'static str>,
        max_bytes: usize,
        serve: impl FnOnce(WebSocket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(max_bytes))
            .max_message_size(Some(max_bytes));
        let connection = self.connection;
        tokio::spawn(async move {
            let Ok(upgraded) = connection.await else {
                return;
            };
            let io = TokioIo::new(upgraded);
            let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
            let discards = false;
            serve(WebSocket { stream, discards }).await;
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        if let Some(protocol) = protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        response
    }
}

/// Whether a header that holds a list has an entry, in whatever case.
fn lists(headers: &HeaderMap, name: &HeaderName, entry: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(entry))
}

/// A WebSocket in the terms of a session.
pub(crate) struct WebSocket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    /// Whether what comes is no longer looked at.
    discards: bool,
}

impl WebSocket {
    /// Ends this side, and reads without looking until the client has ended its own: a connection
    /// that is closed with bytes unread is reset, and the client may never see what it was sent.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let io = self.stream.get_mut();
        // What fails here fails in reading too.
        let _ = ready!(Pin::new(&mut *io).poll_shutdown(cx));
        let mut bytes = [0; 4096];
        for _ in 0..DISCARDS_AT_ONCE {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *io).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for WebSocket {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.discards {
            return self.poll_discard(cx).map(|()| None);
        }
        loop {
            let frame = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text.into())),
                Some(Ok(Message::Binary(_))) => Ok(Incoming::Binary),
                Some(Ok(Message::Close(_))) => Ok(Incoming::Close),
                Some(Ok(Message::Pong(number))) => match <[u8; 4]>::try_from(number.as_ref()) {
                    Ok(number) => Ok(Incoming::Pong(u32::from_be_bytes(number))),
                    Err(_) => continue,
                },
                // The library answers pings by itself, and gives no single frames.
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Err(Error::Capacity(_))) => {
                    self.discards = true;
                    Ok(Incoming::TooLarge)
                }
                Some(Err(error)) => Err(error),
                None => return Poll::Ready(None),
            };
            return Poll::Ready(Some(frame));
        }
    }
}

impl Sink<Outgoing> for WebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Error> {
        let message = match frame {
            Outgoing::Text(text) => Message::Text(Utf8Bytes::try_from(text)?),
            Outgoing::Ping(number) => Message::Ping(number.to_be_bytes().to_vec().into()),
            Outgoing::Close { code, reason } => Message::Close(Some(CloseFrame {
                code: code.into(),
                reason: Utf8Bytes::from(reason.as_ref()),
            })),
        };
        Pin::new(&mut self.stream).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
