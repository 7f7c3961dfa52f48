//! What every answer tells browsers, whoever made it.

use axum::{
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

use crate::platform::{config::TlsMode, state::Shared};

/// Adds the headers, where the answer has none of its own.
pub async fn secure(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        // Forms of our own pages still say from where they come, which `no-referrer` would hide.
        (REFERRER_POLICY, "same-origin"),
        // What is no page shows and loads nothing.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    // A year, as browsers' lists ask for; this host alone, its siblings may be others'. Not with a certificate
    // of its own: whoever does not trust it yet could not go on to the page that tells how to.
    let settings = &state.settings;
    let over_tls = (settings.is_https() && settings.tls.mode != TlsMode::Own)
        .then_some((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    let headers = response.headers_mut();
    for (name, value) in always.into_iter().chain(over_tls) {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
