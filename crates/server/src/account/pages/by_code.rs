//! Signing in by a recovery code.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::{
    enter::{self, Shown},
    sentence, status,
};
use crate::{
    account::{self, AccountError},
    dashboard_pages,
    http::{error::ApiResult, request::ClientIp},
    pages::{
        dashboard::{Fields, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
};

#[derive(Template)]
#[template(path = "account/pages/by_code.html")]
struct ByCodePage {
    layout: Layout,
    error: Option<String>,
    email: String,
}

dashboard_pages!(ByCodePage);

pub(super) async fn page() -> ApiResult<Response> {
    let page = ByCodePage {
        layout: layout(),
        error: None,
        email: String::new(),
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    #[serde(default)]
    code: String,
}

pub(super) async fn sign_in(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(given): Fields<Given>,
) -> ApiResult<Response> {
    let proof = (given.email.as_str(), given.code.as_str());
    match account::sign_in_by_code(&state, caller.network(), proof).await {
        Ok(account) => {
            enter::remember(&state, &session, (&account, Shown::More), &headers).await?;
            // Whoever needs a code has lost the password too.
            let (db, id, now) = (&state.db, Some(account.id), state.now());
            let token = account::offer(db, &state.keys, id, now).await?;
            Ok(Redirect::to(&account::join_address("", &token)).into_response())
        }
        Err(error) => {
            let status = status(&error);
            let error = match error {
                AccountError::Refused => {
                    "The address or the code is wrong, or the code was used. Check both, then try again.".to_owned()
                }
                error => sentence(error)?,
            };
            let page = ByCodePage {
                layout: layout(),
                error: Some(error),
                email: given.email,
            };
            page.answer(status)
        }
    }
}
