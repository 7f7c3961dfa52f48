//! `GET /cable`.

use ::cable::{Cable, Disconnect, Handshake};
use std::sync::Arc;

use axum::{
    Router,
    extract::{State, ws::rejection::WebSocketUpgradeRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};
use serde::Deserialize;

use super::{Channels, Viewer};
use crate::{error::ApiError, extract::Query, state::Shared, token};

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
            channels: Arc::new(Channels(state.clone())),
        })
}

/// `channel_prefix` of older pages is public and proves nothing, so it is not even read.
#[derive(Deserialize)]
struct Door {
    token: Option<String>,
}

async fn connect(
    State(served): State<Served>,
    Query(door): Query<Door>,
    handshake: Result<Handshake, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(handshake) = handshake else {
        return ApiError::invalid("path", "/cable is for WebSockets")
            .with_status(StatusCode::UPGRADE_REQUIRED)
            .into_response();
    };
    let shown = handshake.token().map(str::to_owned).or(door.token);
    let state = &served.state;
    let site = match shown.filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => match token::verify(&state.db, &state.keys, &token, state.now()).await {
            Ok((site, _)) => Some(site),
            Err(error) => {
                tracing::debug!(%error, "a cable connection was refused");
                return handshake.refuse(&served.cable, Disconnect::unauthorized());
            }
        },
    };
    handshake.accept(&served.cable, served.channels, Viewer { site })
}
