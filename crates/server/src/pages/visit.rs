//! What every page of a slice stands behind: the visitor's session, and the refusal of forms that
//! another site sends.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, Response, StatusCode},
    middleware::{self, Next},
    response::IntoResponse,
};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

use crate::{
    http::error::ApiError,
    platform::state::{Shared, State},
    session::{self, Sessions},
};

/// Gives these routes sessions (take [`tower_sessions::Session`] as an argument) and refuses what
/// other sites send to them. A browser gets a cookie with the first thing that is remembered.
pub fn guarded(state: &State, routes: Router<Shared>) -> Router<Shared> {
    let csrf = CsrfLayer::new().with_rejection_response(refused as fn(_) -> _);
    routes
        .layer(sessions(state))
        .layer(middleware::from_fn(watch))
        .layer(csrf)
}

/// What a page's script says that asks whether anything has changed: nobody need be there, so it makes no session last
/// longer.
pub const WATCHING: HeaderName = HeaderName::from_static("x-axiam-shown");

async fn watch(request: Request, next: Next) -> axum::response::Response {
    if request.headers().contains_key(WATCHING) {
        session::watching(next.run(request)).await
    } else {
        next.run(request).await
    }
}

fn sessions(state: &State) -> SessionManagerLayer<Sessions> {
    let is_https = state.settings.is_https();
    SessionManagerLayer::new(Sessions::new(state))
        // Browsers take a `__Host-` cookie from this very host over TLS only.
        .with_name(if is_https {
            "__Host-axiam_session"
        } else {
            "axiam_session"
        })
        .with_secure(is_https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        // How long it lives is the store's to say.
        .with_expiry(Expiry::OnSessionEnd)
}

/// Browsers say from where a form comes (`Sec-Fetch-Site`, `Origin`); one of another site was not
/// sent by the person.
fn refused(_: ProtectionError) -> Response<Body> {
    ApiError::invalid("origin", "another site sent this")
        .with_status(StatusCode::FORBIDDEN)
        .into_response()
}
