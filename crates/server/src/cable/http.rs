//! `GET /cable`.

use std::sync::{Arc, Mutex};

use ::cable::{Cable, Disconnect, Handshake};
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{ORIGIN, UPGRADE},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::any,
};
use serde::Deserialize;

use super::{Attempts, Channels, Connected, SiteViewer, Viewer, Who, channels, connected::Proof};
use crate::{
    http::{
        error::{ApiError, ApiResult, Code, overloaded},
        extract::Query,
        guard::{PhoneSocket, record_refused},
        request::ClientIp,
        token::{self, Scope, TokenError},
    },
    limit::{Limited, Rule},
    platform::{network::Network, state::Shared},
};

/// Seconds after which a client that was refused may try again.
const RETRY_AFTER: u64 = 5;

#[derive(Clone)]
struct Served {
    state: Shared,
    cable: Cable,
    channels: Arc<Channels>,
    connected: Arc<Connected>,
}

/// The route of the cable.
pub fn router(state: &Shared, cable: &Cable, connected: &Arc<Connected>) -> Router {
    Router::new()
        .route("/cable", any(connect))
        .with_state(Served {
            state: state.clone(),
            cable: cable.clone(),
            channels: Arc::new(Channels {
                state: state.clone(),
                attempts: Attempts::default(),
            }),
            connected: Arc::clone(connected),
        })
}

/// `channel_prefix` of older pages is public and proves nothing, so it is not even read.
#[derive(Deserialize)]
struct Params {
    token: Option<String>,
}

async fn connect(State(served): State<Served>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match served.enter(&mut parts).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.into_response();
            // What to upgrade to (RFC 9110, section 15.5.22).
            if response.status() == StatusCode::UPGRADE_REQUIRED {
                let websocket = HeaderValue::from_static("websocket");
                response.headers_mut().insert(UPGRADE, websocket);
            }
            response
        }
    }
}

impl Served {
    async fn enter(&self, parts: &mut Parts) -> ApiResult<Response> {
        let Query(params) = Query::<Params>::from_request_parts(parts, &self.state).await?;
        let handshake = Handshake::from_request_parts(parts, &self.state)
            .await
            .map_err(|_| {
                ApiError::invalid("path", "/cable is for WebSockets")
                    .with_status(StatusCode::UPGRADE_REQUIRED)
            })?;
        let ClientIp(ip) = ClientIp::from_request_parts(parts, &self.state).await?;
        let origin: Option<Box<str>> = parts
            .headers
            .get(ORIGIN)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        let in_query = params.token.filter(|_| handshake.token().is_none());
        // What stands in an address is in logs and histories, and what names an origin is a page.
        let is_public = in_query.is_some() || origin.is_some();
        let shown = handshake.token().map(str::to_owned).or(in_query);
        let who = match self.recognise(parts, shown.as_deref(), is_public).await {
            Ok(who) => who,
            Err(disconnect) => return Ok(handshake.refuse(&self.cable, disconnect)),
        };
        if let Who::Site(shown) = &who
            && !shown.site.admits(origin.as_deref())
        {
            tracing::debug!("a cable connection came from a page that its site does not list");
            return Ok(handshake.refuse(&self.cable, Disconnect::unauthorized()));
        }
        let held = Mutex::default();
        let viewer = Viewer {
            who,
            origin,
            ip,
            held,
        };
        // What comes from the machine itself is a proxy that stands for everyone.
        let handshake = if Network::from(ip).is_loopback() {
            handshake
        } else {
            handshake.from_peer(ip)
        };
        let response = handshake.accept(&self.cable, self.channels.clone(), viewer);
        // The library says no with a bare status; here every answer has the envelope.
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => Err(Limited::Over {
                rule: Rule::Other,
                retry_after: RETRY_AFTER,
            }
            .into()),
            StatusCode::SERVICE_UNAVAILABLE => Err(overloaded()),
            _ => Ok(response),
        }
    }

    /// What the connection proves, or how it is sent away.
    async fn recognise(
        &self,
        parts: &mut Parts,
        token: Option<&str>,
        is_public: bool,
    ) -> Result<Who, Disconnect> {
        let state = &self.state;
        match PhoneSocket::from_request_parts(parts, state).await {
            Ok(PhoneSocket(Some(device))) => {
                let held = self.connected.enter(Proof::Device(device.id));
                return Ok(Who::Phone(Box::new(device), held));
            }
            Ok(PhoneSocket(None)) => {}
            Err(error) => {
                tracing::debug!(?error, "a phone's cable connection was refused");
                return Err(match error.code() {
                    Code::Internal => Disconnect::unavailable(),
                    _ => Disconnect::unauthorized(),
                });
            }
        }
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(Who::Anyone);
        };
        let refused = |error| channels::disconnect_for(&error);
        let shown = token::verify(state, token).await.map_err(refused)?;
        if is_public && shown.scope != Scope::Widget {
            record_refused(state, &shown.site, &TokenError::InBrowser).await;
            return Err(Disconnect::unauthorized());
        }
        Ok(Who::Site(Box::new(SiteViewer {
            held: self.connected.enter(Proof::Token(shown.id)),
            site: shown.site,
            token: token.to_owned(),
            expires_at: shown.expires_at,
        })))
    }
}
