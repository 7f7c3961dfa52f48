//! Failures for people: a browser that opens a page gets a page, programs keep the envelope.

use askama::Template;
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, RETRY_AFTER, VARY},
    },
    middleware::Next,
    response::Response,
};

use super::layout::{Layout, Page};
use crate::http::{error::Shown, request_id};

/// Answers below this keep the envelope whatever is asked for: some programs claim to want HTML.
const API: &str = "/api/";

#[derive(Template)]
#[template(path = "pages/error.html")]
struct Failed {
    layout: Layout,
    title: &'static str,
    sentence: String,
    code: u16,
    request: String,
}

impl Page for Failed {
    fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// Turns a failure into a page where a browser asked.
pub async fn for_browsers(request: Request, next: Next) -> Response {
    let is_asked_for = !request.uri().path().starts_with(API) && wants_html(request.headers());
    let mut response = next.run(request).await;
    let Some(shown) = response.extensions_mut().remove::<Shown>() else {
        return response;
    };
    if is_asked_for && let Ok(mut page) = page(response.status(), &shown) {
        if let Some(seconds) = response.headers_mut().remove(RETRY_AFTER) {
            page.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response = page;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept"));
    response
}

fn page(status: StatusCode, shown: &Shown) -> Result<Response, crate::http::error::ApiError> {
    let (title, sentence) = match status {
        StatusCode::NOT_FOUND => (
            "There is nothing here",
            "No page has this address. Check it, or go to the first page.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "This page cannot be used like that",
            "Go back and try again from the page before.",
        ),
        StatusCode::FORBIDDEN => ("This is not allowed", shown.sentence.as_str()),
        StatusCode::TOO_MANY_REQUESTS => ("Too many requests", shown.sentence.as_str()),
        status if status.is_server_error() => ("This did not work", shown.sentence.as_str()),
        _ => ("This cannot be shown", shown.sentence.as_str()),
    };
    let page = Failed {
        layout: Layout::new(),
        title,
        sentence: sentence.to_owned(),
        code: shown.code.number(),
        request: request_id::current(),
    };
    page.answer(status)
}

/// Whether HTML is named among what is asked for, as browsers do for pages and nothing else.
fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let kind = range.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("text/html")
        })
}
