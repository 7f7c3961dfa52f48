//! The way in through axum.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::admission::Refusal;
use crate::application::Application;
use crate::cable::Cable;
use crate::frame::Protocol;
use crate::options::Disconnect;
use crate::session::Opening;
use crate::websocket::{NotAWebSocket, Upgrade};

/// How AnyCable's clients carry a token among the subprotocols, where it stays out of logs
/// (`websocketAuthStrategy: "sub-protocol"`).
const TOKEN_PREFIX: &str = "anycable-token.";

/// How AnyCable's clients that can set headers name the session to resume. Wins over `?sid=`.
const RESTORE_HEADER: &str = "x-anycable-restore-sid";

/// A client that asks to connect: an extractor for the route of the cable.
///
/// The application looks at the request with other extractors as it likes, and then
/// [accepts](Self::accept) or [refuses](Self::refuse).
#[derive(Debug)]
pub struct Handshake {
    upgrade: Upgrade,
    subprotocol: Option<&'static str>,
    opening: Opening,
    token: Option<String>,
    peer: Option<IpAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Handshake {
    type Rejection = NotAWebSocket;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotAWebSocket> {
        let upgrade = Upgrade::from_parts(parts)?;
        let offered = || {
            let headers = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
            headers
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
        };
        let token = offered()
            .find_map(|offer| offer.trim().strip_prefix(TOKEN_PREFIX))
            .map(ToOwned::to_owned);
        let negotiated = Protocol::negotiate(offered());
        let opening = Opening {
            protocol: negotiated.map(|(_, protocol)| protocol).unwrap_or_default(),
            sid: sid(parts),
        };
        Ok(Self {
            upgrade,
            subprotocol: negotiated.map(|(name, _)| name),
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
        let (cable, opening) = (cable.clone(), self.opening);
        let max_bytes = cable.options().max_frame_bytes;
        self.upgrade
            .open(self.subprotocol, max_bytes, move |socket| async move {
                let serving = cable.serve(app, connection, opening, socket);
                drop(cable);
                serving.await;
                drop(admission);
            })
    }

    /// Sends the client away the way Action Cable does it: after the upgrade, with a `disconnect`
    /// frame, for browsers hide the status of a failed upgrade from scripts.
    pub fn refuse(self, cable: &Cable, disconnect: Disconnect) -> Response {
        let cable = cable.clone();
        let max_bytes = cable.options().max_frame_bytes;
        self.upgrade
            .open(self.subprotocol, max_bytes, move |socket| async move {
                cable.refuse(disconnect, socket).await;
            })
    }
}

/// The session to resume. Names of sessions need no escaping, so that nothing is unescaped.
fn sid(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(RESTORE_HEADER);
    let header = header.and_then(|value| value.to_str().ok());
    let query = || {
        let mut pairs = parts.uri.query()?.split('&');
        pairs.find_map(|pair| pair.strip_prefix("sid="))
    };
    header.or_else(query).map(ToOwned::to_owned)
}
