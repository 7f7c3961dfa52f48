//! The way in through axum.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::FromRequestParts;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as WsMessage, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{Sink, Stream};

use crate::admission::Refusal;
use crate::application::Application;
use crate::cable::Cable;
use crate::frame::Protocol;
use crate::options::Disconnect;
use crate::session::{Incoming, Opening, Outgoing};

/// How AnyCable's clients carry a token among the subprotocols, where it stays out of logs
/// (`websocketAuthStrategy: "sub-protocol"`).
const TOKEN_PREFIX: &str = "anycable-token.";

/// Bytes read at a time. The WebSocket library allocates them for every connection and would
/// take 128 KiB; commands of clients have a few hundred bytes.
const READ_BUFFER: usize = 1024;

/// Bytes gathered before they are written, where messages come in batches.
const WRITE_BUFFER: usize = 4096;

/// A client at the door: an extractor for the route of the cable.
///
/// The application looks at the request with other extractors as it likes, and then
/// [accepts](Self::accept) or [refuses](Self::refuse).
#[derive(Debug)]
pub struct Handshake {
    upgrade: WebSocketUpgrade,
    opening: Opening,
    token: Option<String>,
    peer: Option<IpAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Handshake {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let mut upgrade = WebSocketUpgrade::from_request_parts(parts, state).await?;
        let offered = || {
            let headers = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
            headers
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
        };
        let token = offered()
            .find_map(|offer| offer.trim().strip_prefix(TOKEN_PREFIX))
            .map(ToOwned::to_owned);
        let mut opening = Opening {
            sid: sid(parts.uri.query()),
            ..Opening::default()
        };
        if let Some((name, protocol)) = Protocol::negotiate(offered()) {
            upgrade.set_selected_protocol(HeaderValue::from_static(name));
            opening.protocol = protocol;
        }
        Ok(Self {
            upgrade,
            opening,
            token,
            peer: None,
        })
    }
}

impl Handshake {
    /// The token that came as the subprotocol `anycable-token.<token>`.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The protocol that was agreed on.
    pub fn protocol(&self) -> Protocol {
        self.opening.protocol
    }

    /// Says where the client is, so that its connections are counted together
    /// ([`Options::max_connections_per_peer`](crate::Options::max_connections_per_peer)). Whether
    /// a proxy's word is taken for it is the application's to decide.
    #[must_use]
    pub fn from_peer(mut self, address: IpAddr) -> Self {
        self.peer = Some(address);
        self
    }

    /// Lets the client in. If the cable is draining or full the answer is 503, if the client has
    /// too many connections 429, both with `Retry-After`.
    pub fn accept<A: Application>(
        self,
        cable: &Cable,
        app: Arc<A>,
        connection: A::Connection,
    ) -> Response {
        let admission = match cable.admit(self.peer) {
            Ok(admission) => admission,
            Err(refusal) => {
                let status = match refusal {
                    Refusal::Draining | Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
                    Refusal::PeerFull => StatusCode::TOO_MANY_REQUESTS,
                };
                return (status, [(RETRY_AFTER, "1")]).into_response();
            }
        };
        let cable = cable.clone();
        let opening = self.opening;
        prepare(self.upgrade, &cable).on_upgrade(move |socket| async move {
            let serving = cable.serve(app, connection, opening, AxumSocket(socket));
            drop(cable);
            serving.await;
            drop(admission);
        })
    }

    /// Sends the client away the way Action Cable does it: after the upgrade, with a `disconnect`
    /// frame, for browsers hide the status of a failed upgrade from scripts.
    pub fn refuse(self, cable: &Cable, disconnect: Disconnect) -> Response {
        let cable = cable.clone();
        prepare(self.upgrade, &cable).on_upgrade(move |socket| async move {
            cable.refuse(disconnect, AxumSocket(socket)).await;
        })
    }
}

/// The `sid` of the query. Names of sessions need no escaping, so that nothing is unescaped.
fn sid(query: Option<&str>) -> Option<String> {
    query?
        .split('&')
        .find_map(|pair| pair.strip_prefix("sid="))
        .map(ToOwned::to_owned)
}

fn prepare(upgrade: WebSocketUpgrade, cable: &Cable) -> WebSocketUpgrade {
    // The session answers politely to frames a little too large; this is the hard limit.
    let hard_limit = cable.options().max_frame_bytes.saturating_mul(4);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_frame_size(hard_limit)
        .max_message_size(hard_limit)
}

/// axum's WebSocket in the terms of a session.
struct AxumSocket(WebSocket);

impl Stream for AxumSocket {
    type Item = Result<Incoming, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.0).poll_next(cx)) {
                Some(Ok(WsMessage::Text(text))) => Ok(Incoming::Text(text.into())),
                Some(Ok(WsMessage::Binary(_))) => Ok(Incoming::Binary),
                Some(Ok(WsMessage::Close(_))) => Ok(Incoming::Close),
                Some(Ok(WsMessage::Pong(number))) => match <[u8; 4]>::try_from(number.as_ref()) {
                    Ok(number) => Ok(Incoming::Pong(u32::from_be_bytes(number))),
                    Err(_) => continue,
                },
                // The library answers pings by itself.
                Some(Ok(WsMessage::Ping(_))) => continue,
                Some(Err(error)) => Err(error),
                None => return Poll::Ready(None),
            };
            return Poll::Ready(Some(frame));
        }
    }
}

impl Sink<Outgoing> for AxumSocket {
    type Error = axum::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Self::Error> {
        let message = match frame {
            Outgoing::Text(text) => {
                WsMessage::Text(Utf8Bytes::try_from(text).map_err(axum::Error::new)?)
            }
            Outgoing::Ping(number) => WsMessage::Ping(number.to_be_bytes().to_vec().into()),
            Outgoing::Close { code, reason } => {
                let reason = Utf8Bytes::from(reason.as_ref());
                WsMessage::Close(Some(CloseFrame { code, reason }))
            }
        };
        Pin::new(&mut self.0).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
