//! For load balancers and supervisors: is the program alive, and should it be sent anyone.

use std::time::Duration;

use ::cable::Cable;
use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use crate::{
    http::error::{ApiResult, overloaded},
    platform::state::Shared,
};

/// How long the database may take to say that it is there.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// `GET /health/live` and `GET /health/ready`.
pub fn router(state: &Shared, cable: &Cable) -> Router {
    Router::new()
        .route("/health/live", get(async || status("live")))
        .route("/health/ready", get(ready))
        .with_state((state.clone(), cable.clone()))
}

fn status(word: &str) -> Json<Value> {
    Json(json!({ "success": true, "data": { "status": word } }))
}

/// Ready while the database answers and pages are not being sent away.
async fn ready(State((state, cable)): State<(Shared, Cable)>) -> ApiResult<Json<Value>> {
    let answered = tokio::time::timeout(DATABASE_TIMEOUT, state.db.ping()).await;
    if cable.is_draining() || !matches!(answered, Ok(Ok(()))) {
        return Err(overloaded());
    }
    Ok(status("ready"))
}
