//! What people see in a browser: for now one page that says what runs here and where to go on.

pub mod assets;

use axum::{
    Json, Router,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

use crate::platform::state::Shared;

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The pages, and the contract that the API's routes describe.
pub fn router(contract: utoipa::openapi::OpenApi) -> Router<Shared> {
    Router::new()
        .route("/", get(home))
        .route("/pages.css", get(style))
        .merge(assets::router())
        .route("/api/openapi.json", get(async move || Json(contract)))
}

async fn home() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY),
        ],
        include_str!("home.html"),
    )
}

async fn style() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/css; charset=utf-8"),
            (CACHE_CONTROL, "public, max-age=3600"),
        ],
        include_str!("pages.css"),
    )
}
