//! Erasing one's own account.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{failed, sentence, status};
use crate::{
    account, dashboard_pages,
    http::error::ApiResult,
    pages::{
        dashboard::{Fields, Frame, SignedIn, layout},
        layout::{Layout, Page},
    },
    platform::state::{Shared, State as AppState},
    site::Site,
};

#[derive(Template)]
#[template(path = "account/pages/leave.html")]
struct LeavePage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    /// The apps that nobody else owns.
    alone: Vec<Site>,
    /// What was typed to show that it is meant.
    typed: String,
}

#[derive(Template)]
#[template(path = "account/pages/left.html")]
struct LeftPage {
    layout: Layout,
    email: String,
}

dashboard_pages!(LeavePage, LeftPage);

async fn show(
    state: &AppState,
    signed_in: &SignedIn,
    (error, status): (Option<String>, StatusCode),
    typed: String,
) -> ApiResult<Response> {
    let page = LeavePage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        error,
        alone: account::owned_alone(&state.db, signed_in.account.id).await?,
        typed,
    };
    page.answer(status)
}

pub(super) async fn page(State(state): State<Shared>, signed_in: SignedIn) -> ApiResult<Response> {
    show(&state, &signed_in, (None, StatusCode::OK), String::new()).await
}

#[derive(Deserialize)]
pub(super) struct Meant {
    #[serde(default)]
    email: String,
    #[serde(default)]
    present: String,
}

pub(super) async fn erase(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(meant): Fields<Meant>,
) -> ApiResult<Response> {
    let own = &signed_in.account.email;
    if !meant.email.trim().eq_ignore_ascii_case(own) {
        let why = format!("Nothing was erased. Type {own} to show that you mean it.");
        let refused = (Some(why), StatusCode::UNPROCESSABLE_ENTITY);
        return show(&state, &signed_in, refused, meant.email).await;
    }
    if let Err(error) = account::erase_own(&state, &signed_in.account, &meant.present).await {
        let status = status(&error);
        let refused = (Some(sentence(error)?), status);
        return show(&state, &signed_in, refused, meant.email).await;
    }
    signed_in.session.flush().await.map_err(failed)?;
    let page = LeftPage {
        layout: layout(),
        email: signed_in.account.email,
    };
    page.answer(StatusCode::OK)
}
