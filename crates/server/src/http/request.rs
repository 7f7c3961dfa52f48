//! What belongs to one request: its id, who sent it, and the envelope for what no route answers.

use std::{future::Future, net::IpAddr};

use axum::{
    extract::{Extension, FromRequestParts, MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header::CONTENT_ENCODING,
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics::{counter, histogram};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    audit::{self, Caller},
    http::{
        error::{ApiError, ApiResult, Code},
        forwarded::Origin,
        request_id,
        socket::Peer,
    },
    platform::{network::Network, state::Shared},
};

/// Where the API lives.
pub const API: &str = "/api/v1/facial_sign_on";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives each request an id, which its answer tells, and a span that names it.
///
/// The span holds the path only: queries can carry tokens.
pub async fn identify(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4();
    let span = tracing::info_span!(
        "request", id = %id, method = %request.method(), path = request.uri().path()
    );
    let measured = Measured::of(&request);
    let mut response = request_id::within(id, answered(next.run(request)))
        .instrument(span)
        .await;
    measured.note(response.status());
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// Notes who calls, for the audit log: the network now, and what they prove when they have proven it.
pub async fn note_caller(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let network = match origin(&mut parts, &state).await {
        Ok(origin) => Some(origin.caller.into()),
        Err(error) => return error.into_response(),
    };
    let caller = Caller {
        network,
        ..Caller::default()
    };
    audit::within(caller, next.run(Request::from_parts(parts, body))).await
}

/// What is counted of a request: nothing that a stranger could make up, or there would be as many
/// counters as strangers like.
struct Measured {
    method: &'static str,
    route: String,
    begun: Instant,
}

impl Measured {
    fn of(request: &Request) -> Self {
        const KNOWN: [&str; 7] = ["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"];
        let method = request.method().as_str();
        let route = request.extensions().get::<MatchedPath>();
        Self {
            method: KNOWN
                .into_iter()
                .find(|known| *known == method)
                .unwrap_or("other"),
            route: route.map_or("none", MatchedPath::as_str).to_owned(),
            begun: Instant::now(),
        }
    }

    fn note(self, status: StatusCode) {
        let taken = self.begun.elapsed().as_secs_f64();
        let (method, status) = (self.method, status.as_u16().to_string());
        histogram!("axiam_request_seconds", "route" => self.route.clone()).record(taken);
        counter!("axiam_requests_total", "method" => method, "route" => self.route, "status" => status)
            .increment(1);
    }
}

async fn answered(answer: impl Future<Output = Response>) -> Response {
    let response = answer.await;
    tracing::debug!(status = response.status().as_u16(), "answered");
    response
}

/// The answer when a handler panics: 5000 and the request id, the text only in the log.
#[allow(clippy::needless_pass_by_value, reason = "what the layer calls")]
pub fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("panic");
    ApiError::internal(&text).into_response()
}

/// Refuses bodies that are packed: proofs cover the bytes as they are sent, and a small packed body
/// can be a large one.
pub async fn unpacked(request: Request, next: Next) -> Response {
    let packed = request
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .find(|value| {
            let plain = ["", "identity"];
            !value
                .to_str()
                .is_ok_and(|value| plain.contains(&value.trim()))
        });
    match packed {
        None => next.run(request).await,
        Some(value) => {
            let how = String::from_utf8_lossy(value.as_bytes());
            ApiError::invalid(
                "content-encoding",
                format!("{how:?} is not read here; send the body as it is"),
            )
            .into_response()
        }
    }
}

/// The answer for a path that no route has; names the one that may be meant: without a slash at the
/// end, or under the prefix that the API has.
pub fn no_route(uri: &Uri, routes: &[String]) -> ApiError {
    let asked = uri.path().trim_end_matches('/');
    let meant = routes.iter().find(|route| {
        let tail = route.strip_prefix(API).unwrap_or(route);
        !asked.is_empty() && (asked == *route || asked.ends_with(tail))
    });
    let reason = match meant {
        Some(route) => format!("there is nothing at {}; did you mean {route}?", uri.path()),
        None => format!("there is nothing at {}", uri.path()),
    };
    ApiError::invalid("path", reason).with_status(StatusCode::NOT_FOUND)
}

/// The answer for a method that the path does not take.
pub async fn no_method(uri: Uri) -> ApiError {
    ApiError::invalid(
        "method",
        format!("{} does not take this method", uri.path()),
    )
    .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The address of who called; proxies that the settings trust are looked through.
#[derive(Debug, Clone, Copy)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// What limits and freezes go by.
    #[must_use]
    pub fn network(self) -> Network {
        self.0.into()
    }
}

impl FromRequestParts<Shared> for ClientIp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        Ok(Self(origin(parts, state).await?.caller))
    }
}

/// Where a request came from, and for whom.
///
/// # Errors
/// Only where the connection's other end is not known, which is a mistake in how it is served.
pub async fn origin(parts: &mut Parts, state: &Shared) -> ApiResult<Origin> {
    let Extension(peer) = Extension::<Peer>::from_request_parts(parts, state)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    let trusted = state.trusted_proxies();
    Ok(Origin::of(peer, &parts.headers, &trusted))
}

/// A header's text, cut to what a database row should hold.
#[must_use]
pub fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    const LONGEST: usize = 512;
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| &text[..text.len().min(LONGEST)])
}

/// Turns a failure of code 1006 into the status that HTTP has for a body that is too large.
#[must_use]
pub fn body_too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::InvalidParameter,
        format!("body: larger than {limit} bytes"),
    )
    .with_details(serde_json::json!({ "field": "body", "reason": "too large" }))
    .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}
