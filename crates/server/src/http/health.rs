//! For load balancers and supervisors: is the program alive, and should it be sent anyone.

use std::{sync::Arc, time::Duration};

use ::cable::Cable;
use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use crate::{
    http::error::{ApiResult, overloaded, unable},
    platform::{room::Room, state::Shared},
};

/// How long the database may take to say that it is there.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// `GET /health/live` and `GET /health/ready`.
pub fn router(state: &Shared, cable: &Cable) -> Router {
    Router::new()
        .route("/health/live", get(async || status("live")))
        .route("/health/ready", get(ready))
        .with_state((state.clone(), cable.clone(), Arc::default()))
}

/// Whether a path is one of these routes'.
#[must_use]
pub fn is_asked(path: &str) -> bool {
    path.starts_with("/health/")
}

fn status(word: &str) -> Json<Value> {
    Json(json!({ "success": true, "data": { "status": word } }))
}

/// Ready while the database answers and takes what is written, and pages are not being sent away.
async fn ready(
    State((state, cable, room)): State<(Shared, Cable, Arc<Room>)>,
) -> ApiResult<Json<Value>> {
    if cable.is_draining() {
        return Err(overloaded());
    }
    match tokio::time::timeout(DATABASE_TIMEOUT, state.db.ping()).await {
        Ok(Ok(())) => {}
        _ => return Err(unable("the database does not answer")),
    }
    // A writer that waits for others says nothing of the disk.
    let missing = room.is_missing(&state.db, state.now());
    if tokio::time::timeout(DATABASE_TIMEOUT, missing).await == Ok(true) {
        return Err(unable("the database's disk is full"));
    }
    Ok(status("ready"))
}
