//! Pages of other origins (Fetch standard, CORS): the routes that take a widget's token, and no
//! others. Tokens travel in a header, so no credentials of the browser are ever allowed.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use utoipa::openapi::OpenApi;

use crate::http::{contract, error::Code};

/// Seconds for which a browser may remember the answer to its question.
const REMEMBERED: &str = "600";

/// The routes that pages may call, with their method, read off the contract.
#[derive(Clone)]
pub struct PageRoutes(Arc<HashMap<String, Method>>);

impl PageRoutes {
    /// Those that take a widget's token.
    #[must_use]
    pub fn of(contract: &OpenApi) -> Self {
        let mut routes = HashMap::new();
        for (path, item) in &contract.paths.paths {
            for (method, operation) in [(Method::GET, &item.get), (Method::POST, &item.post)] {
                if operation
                    .as_ref()
                    .is_some_and(|it| contract::takes(it, "widget_token"))
                {
                    routes.insert(path.clone(), method);
                }
            }
        }
        Self(Arc::new(routes))
    }
}

/// Answers a browser's question before the request, and lets the page read the answer to it.
///
/// The question carries no token, so any page is told that it may ask: which site it belongs to,
/// and whether that site lists it, is known only when the token is there. What
/// [`PageToken`](crate::http::guard::PageToken) refuses then, the page cannot read.
pub async fn answer(State(routes): State<PageRoutes>, request: Request, next: Next) -> Response {
    let Some(method) = routes.0.get(request.uri().path()).cloned() else {
        return next.run(request).await;
    };
    let origin = page_of(request.headers()).cloned();
    let asks = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks && origin.is_some() {
        allowed(&method).into_response()
    } else {
        next.run(request).await
    };
    let refused = response.extensions().get::<Code>() == Some(&Code::ScopeForbidden);
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| !refused) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Retry-After, X-Request-Id"),
        );
    }
    response
}

fn allowed(method: &Method) -> (StatusCode, [(HeaderName, HeaderValue); 3]) {
    let method = HeaderValue::from_str(method.as_str());
    (
        StatusCode::NO_CONTENT,
        [
            (
                ACCESS_CONTROL_ALLOW_METHODS,
                method.unwrap_or(HeaderValue::from_static("GET")),
            ),
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("Authorization, Content-Type"),
            ),
            (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED)),
        ],
    )
}

/// The one web page that asks; `null` and what is no web page are none.
fn page_of(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut given = headers.get_all(ORIGIN).iter();
    let origin = given.next().filter(|_| given.next().is_none())?;
    let text = origin.to_str().ok()?;
    (text.starts_with("https://") || text.starts_with("http://")).then_some(origin)
}
