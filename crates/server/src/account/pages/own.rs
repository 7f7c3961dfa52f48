//! One's own account: password and sessions.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{enter::prove_anew, sentence, status};
use crate::{
    account::{self, AccountError, Sessions},
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{Fields, Frame, SignedIn, When, layout},
        layout::{Layout, Page},
    },
    platform::state::{Shared, State as AppState},
    session,
};

#[derive(Template)]
#[template(path = "account/pages/own.html")]
struct OwnPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    is_administrator: bool,
    /// Whether to confirm the address, where letters are written.
    is_confirmed: bool,
    has_mail: bool,
    sessions: Vec<Row>,
    /// The address that was typed to be the next.
    new_email: String,
}

dashboard_pages!(OwnPage);

/// A session as it is listed.
struct Row {
    name: String,
    browser: String,
    network: String,
    since: When,
    is_this: bool,
}

pub(super) async fn show(
    state: &AppState,
    signed_in: &SignedIn,
    error: Option<AccountError>,
) -> ApiResult<Response> {
    show_typed(state, signed_in, error, String::new()).await
}

/// The same, with an address that was typed and could not be taken.
pub(super) async fn show_typed(
    state: &AppState,
    signed_in: &SignedIn,
    error: Option<AccountError>,
    new_email: String,
) -> ApiResult<Response> {
    let now = state.now();
    let this = session::name_of(&signed_in.session).unwrap_or_default();
    let kept = session::kept(&state.db, signed_in.account.id, now).await?;
    let status = error.as_ref().map_or(StatusCode::OK, status);
    let page = OwnPage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        error: error.map(sentence).transpose()?,
        is_administrator: signed_in.account.is_administrator,
        is_confirmed: signed_in.account.email_confirmed_at.is_some(),
        has_mail: state.post.is_open(),
        new_email,
        sessions: kept
            .into_iter()
            .map(|kept| Row {
                is_this: kept.name == this,
                name: hex::encode(&kept.name),
                browser: match (kept.signed_in.browser.as_str(), kept.signed_in.os.as_str()) {
                    ("", _) => "Unknown browser".to_owned(),
                    (browser, "") => browser.to_owned(),
                    (browser, os) => format!("{browser} on {os}"),
                },
                network: kept.signed_in.network,
                since: When::new(kept.signed_in.since, now),
            })
            .collect(),
    };
    page.answer(status)
}

pub(super) async fn page(State(state): State<Shared>, signed_in: SignedIn) -> ApiResult<Response> {
    show(&state, &signed_in, None).await
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    present: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn change_password(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(change): Fields<Change>,
) -> ApiResult<Response> {
    let this = session::name_of(&signed_in.session).unwrap_or_default();
    let passwords = (change.present.as_str(), change.password.as_str());
    match account::change_password(&state, &signed_in.account, passwords, &this).await {
        Ok(account) => {
            prove_anew(&signed_in.session, &account).await?;
            signed_in
                .say("The password is changed. Your other sessions have ended.")
                .await?;
            Ok(Redirect::to("/dashboard/account").into_response())
        }
        Err(error) => show(&state, &signed_in, Some(error)).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    name: String,
}

pub(super) async fn end_session(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(which): Fields<Which>,
) -> ApiResult<Redirect> {
    let name = hex::decode(&which.name).map_err(|_| ApiError::invalid("name", "is no session"))?;
    end(&state, &signed_in, Sessions::One(&name)).await
}

pub(super) async fn end_others(
    State(state): State<Shared>,
    signed_in: SignedIn,
) -> ApiResult<Redirect> {
    let this = session::name_of(&signed_in.session).unwrap_or_default();
    end(&state, &signed_in, Sessions::AllBut(&this)).await
}

async fn end(state: &AppState, signed_in: &SignedIn, which: Sessions<'_>) -> ApiResult<Redirect> {
    let ended = account::end_sessions(state, &signed_in.account, which).await;
    let ended = ended.map_err(|error| ApiError::internal(&error))?;
    signed_in
        .say(match ended {
            0 => "No session was left to end.",
            1 => "The session has ended.",
            _ => "The sessions have ended.",
        })
        .await?;
    Ok(Redirect::to("/dashboard/account"))
}
