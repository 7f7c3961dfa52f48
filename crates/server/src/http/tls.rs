//! TLS on the port itself, where no proxy does it: connections are opened, and whoever speaks plain
//! HTTP there is shown the way.

use std::{io, sync::Arc};

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use super::{error::ApiError, socket::Stream};
use crate::platform::state::Shared;

/// The first byte of every TLS connection, the type of a handshake record (RFC 8446, section 5.1). No HTTP
/// method begins with it.
const HANDSHAKE: u8 = 22;

/// What a phone that does not trust this server yet may ask for in plain text: the page that tells how to,
/// and what it is made of. Whoever is on the way can change both, as with any first meeting; the page says
/// what to compare.
const OPEN: [&str; 3] = ["/trust", "/trust/", "/assets/"];

/// Opens connections.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Marks a request that came in plain text to a port that speaks TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bare;

impl Tls {
    /// With this certificate and these versions.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self(TlsAcceptor::from(config))
    }

    /// Opens a connection; one that does not speak TLS is given back as it came, and marked.
    pub(super) async fn open(
        &self,
        stream: TcpStream,
    ) -> io::Result<(Box<dyn Stream>, Option<Bare>)> {
        let mut first = [0; 1];
        if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
            return Ok((Box::new(stream), Some(Bare)));
        }
        Ok((Box::new(self.0.accept(stream).await?), None))
    }
}

/// Sends browsers that came in plain text to the same page over TLS, and refuses programs, whose secrets
/// have been read by then: they should learn it at the first call.
pub async fn only(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_open = OPEN
        .iter()
        .any(|open| path == *open || open.ends_with('/') && path.starts_with(open));
    if request.extensions().get::<Bare>().is_none() || is_open {
        return next.run(request).await;
    }
    let url = state.settings.public_url();
    let is_page =
        matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/api/");
    if is_page {
        let rest = request
            .uri()
            .path_and_query()
            .map_or("/", |rest| rest.as_str());
        return Redirect::permanent(&format!("{url}{rest}")).into_response();
    }
    ApiError::invalid("scheme", format!("this port speaks TLS: call {url}")).into_response()
}
