//! `GET /cable`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use ::cable::{Cable, Disconnect, Handshake};
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{StatusCode, header::ORIGIN, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use serde::Deserialize;

use super::{Attempts, Channels, Viewer, Who};
use crate::{
    http::{
        error::{ApiError, ApiResult, Code, overloaded},
        extract::Query,
        guard::PhoneSocket,
        request::ClientIp,
        token::{self, TokenError},
    },
    limit::{Limited, Rule},
    platform::state::Shared,
};

/// Seconds after which a client that was refused may try again.
const RETRY_AFTER: u64 = 5;

#[derive(Clone)]
struct Served {
    state: Shared,
    cable: Cable,
    channels: Arc<Channels>,
}

/// The route of the cable.
pub fn router(state: &Shared, cable: &Cable) -> Router {
    Router::new()
        .route("/cable", any(connect))
        .with_state(Served {
            state: state.clone(),
            cable: cable.clone(),
            channels: Arc::new(Channels {
                state: state.clone(),
                cable: cable.clone(),
                attempts: Attempts::default(),
            }),
        })
}

/// `channel_prefix` of older pages is public and proves nothing, so it is not even read.
#[derive(Deserialize)]
struct Door {
    token: Option<String>,
}

async fn connect(State(served): State<Served>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match served.enter(&mut parts).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

impl Served {
    async fn enter(&self, parts: &mut Parts) -> ApiResult<Response> {
        let Query(door) = Query::<Door>::from_request_parts(parts, &self.state).await?;
        let handshake = Handshake::from_request_parts(parts, &self.state)
            .await
            .map_err(|_| {
                ApiError::invalid("path", "/cable is for WebSockets")
                    .with_status(StatusCode::UPGRADE_REQUIRED)
            })?;
        let ClientIp(ip) = ClientIp::from_request_parts(parts, &self.state).await?;
        let origin = parts
            .headers
            .get(ORIGIN)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        let shown = handshake.token().map(str::to_owned).or(door.token);
        let who = match self.recognise(parts, shown.as_deref()).await {
            Ok(who) => who,
            Err(farewell) => return Ok(handshake.refuse(&self.cable, farewell)),
        };
        if let Who::Site(site) = &who
            && !site.settings.origins.admit(origin.as_deref())
        {
            tracing::debug!("a cable connection came from a page that its site does not list");
            return Ok(handshake.refuse(&self.cable, Disconnect::unauthorized()));
        }
        let viewer = Viewer {
            who,
            origin,
            ip,
            tag: tag(),
        };
        // What comes from the machine itself is a proxy that stands for everyone.
        let handshake = if ip.is_loopback() {
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
    async fn recognise(&self, parts: &mut Parts, token: Option<&str>) -> Result<Who, Disconnect> {
        let state = &self.state;
        match PhoneSocket::from_request_parts(parts, state).await {
            Ok(PhoneSocket(Some(device))) => return Ok(Who::Phone(Box::new(device))),
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
        match token::verify(&state.db, &state.keys, token, state.now()).await {
            Ok((site, _)) => Ok(Who::Site(Box::new(site))),
            Err(TokenError::Database(error)) => {
                tracing::warn!(%error, "a cable connection is asked to come again");
                Err(Disconnect::unavailable())
            }
            Err(error) => {
                tracing::debug!(%error, "a cable connection was refused");
                Err(Disconnect::unauthorized())
            }
        }
    }
}

/// A name that no other connection of this process has.
fn tag() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}", NEXT.fetch_add(1, Relaxed))
}
