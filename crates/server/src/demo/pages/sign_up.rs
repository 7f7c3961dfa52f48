//! Signing up: a client is made known, and a code pairs their phone.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::{
    Relying, back,
    backend::{Backend, Call, Caller, text},
    visitor::{Pairing, Visitor},
};
use crate::{
    http::error::{ApiError, ApiResult},
    pages::layout::{Layout, May, Page},
    platform::state::Shared,
};

#[derive(Deserialize)]
pub(super) struct Person {
    #[serde(default)]
    email: String,
    #[serde(default)]
    full_name: String,
}

/// Makes the person known and asks for a code. (A real site asks for its own proof of the person first.)
pub(super) async fn begin(
    State(_): State<Shared>,
    Extension(relying): Extension<Relying>,
    session: Session,
    caller: Caller,
    Form(person): Form<Person>,
) -> ApiResult<Redirect> {
    let visitor = Visitor(session);
    let mut backend = match Backend::sign_in(&relying.demo, &relying.api, &caller, "site").await? {
        Ok(backend) => backend,
        Err(sentence) => return back(&visitor, sentence).await,
    };
    let known = json!({ "email": person.email, "full_name": person.full_name });
    let client = match backend.post("/client/create", &known).await? {
        Ok(client) => client,
        Err(sentence) => return back(&visitor, sentence).await,
    };
    let wanted = json!({ "id": client["client_id"], "flow_type": "signup" });
    match backend.post("/client/qrcode", &wanted).await? {
        Ok(code) => {
            let pairing = Pairing {
                email: person.email,
                link: text(&code, "enrollment_url"),
                code: text(&code, "qrcode_base64"),
                calls: backend.calls,
            };
            visitor.remember(&pairing).await?;
            Ok(Redirect::to("/demo/phone"))
        }
        Err(sentence) => back(&visitor, sentence).await,
    }
}

#[derive(Template)]
#[template(path = "demo/pages/phone.html")]
struct PhonePage {
    layout: Layout,
    pairing: Pairing,
    calls: Vec<Call>,
    phone: String,
}

impl Page for PhonePage {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn may(&self) -> &'static [May] {
        &[May::ShowImages]
    }
}

/// The code, and the lines of a phone on the command line.
pub(super) async fn phone(
    State(_): State<Shared>,
    Extension(relying): Extension<Relying>,
    session: Session,
) -> ApiResult<Response> {
    let Some(mut pairing) = Visitor(session).find::<Pairing>().await? else {
        return Ok(Redirect::to("/demo").into_response());
    };
    let page = PhonePage {
        layout: Layout::new(),
        calls: std::mem::take(&mut pairing.calls),
        pairing,
        phone: relying.demo.phone.clone(),
    };
    page.answer(StatusCode::OK)
}

/// The code as a picture.
pub(super) async fn code(State(_): State<Shared>, session: Session) -> ApiResult<Response> {
    let pairing = Visitor(session).find::<Pairing>().await?;
    let code = pairing.map(|pairing| pairing.code).unwrap_or_default();
    let png = STANDARD
        .decode(code)
        .map_err(|error| ApiError::internal(&error))?;
    if png.is_empty() {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(([(CONTENT_TYPE, "image/png")], png).into_response())
}
