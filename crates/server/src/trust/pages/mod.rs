//! `/trust`: the certificate of the authority, and how to install it. There only where the server has one
//! of its own; reachable in plain text, for a phone that does not trust it yet.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    http::error::{ApiError, ApiResult},
    pages::layout::{Layout, May, Page},
    platform::{qr, state::Shared, tls::Authority},
    trust::address,
};

/// What the pages tell of the authority.
#[derive(Clone)]
struct Told {
    certificate: Arc<[u8]>,
    fingerprint: String,
}

/// The pages of a server whose certificates `authority` signs.
pub fn router(authority: &Authority) -> Router<Shared> {
    let told = Told {
        certificate: authority.certificate().into(),
        fingerprint: authority.fingerprint(),
    };
    Router::new()
        .route("/trust", get(trust))
        .route("/trust/axiam.crt", get(certificate))
        .route("/trust/code.png", get(code))
        .layer(Extension(told))
}

#[derive(Template)]
#[template(path = "trust/pages/trust.html")]
struct Trust {
    layout: Layout,
    /// This page, in plain text.
    here: String,
    /// The server's address, which works without a warning afterwards.
    url: String,
    fingerprint: String,
}

impl Page for Trust {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn may(&self) -> &'static [May] {
        &[May::ShowImages]
    }
}

async fn trust(
    State(state): State<Shared>,
    Extension(told): Extension<Told>,
) -> ApiResult<Response> {
    let page = Trust {
        layout: Layout::new(),
        here: address(&state.settings.public_url()),
        url: state.settings.public_url(),
        fingerprint: told.fingerprint,
    };
    page.answer(StatusCode::OK)
}

/// As the phones' settings take it.
async fn certificate(Extension(told): Extension<Told>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"axiam.crt\"",
        ),
    ];
    (headers, told.certificate.to_vec()).into_response()
}

async fn code(State(state): State<Shared>) -> ApiResult<Response> {
    let here = address(&state.settings.public_url());
    let png = qr::png(&here).map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}
