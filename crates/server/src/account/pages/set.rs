//! Pages behind a link that sets a password: the owner's at the first start, and everybody else's.

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
    http::{error::ApiResult, extract::Query, request::ClientIp},
    limit::{self, Rule},
    pages::{
        dashboard::{Fields, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
};

#[derive(Template)]
#[template(path = "account/pages/set.html")]
struct SetPage {
    layout: Layout,
    error: Option<String>,
    /// What the link carries; empty where it is still to be typed.
    token: String,
    email: String,
    /// The first account's; else the account is there already.
    is_first: bool,
}

dashboard_pages!(SetPage);

impl SetPage {
    fn empty(token: String, is_first: bool) -> Self {
        Self {
            layout: layout(),
            error: None,
            token,
            email: String::new(),
            is_first,
        }
    }

    fn failed(mut self, error: AccountError) -> ApiResult<Response> {
        let status = status(&error);
        self.error = Some(sentence(error)?);
        self.answer(status)
    }
}

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

pub(super) async fn set_up_page(
    State(state): State<Shared>,
    Query(link): Query<Link>,
) -> ApiResult<Response> {
    if account::any(&state.db).await? {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    }
    SetPage::empty(link.token, true).answer(StatusCode::OK)
}

pub(super) async fn join_page(Query(link): Query<Link>) -> ApiResult<Response> {
    SetPage::empty(link.token, false).answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    #[serde(default)]
    token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn set_up(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(chosen): Fields<Chosen>,
) -> ApiResult<Response> {
    limit::check(&state, Rule::SignInByIp, caller.network()).await?;
    let made = account::set_up(&state, &chosen.token, &chosen.email, &chosen.password).await;
    match made {
        Ok(account) => {
            enter::remember(&state, &session, (&account, Shown::Password), &headers).await?;
            Ok(Redirect::to("/dashboard").into_response())
        }
        Err(error) => {
            let mut page = SetPage::empty(chosen.token, true);
            page.email = chosen.email;
            page.failed(error)
        }
    }
}

pub(super) async fn join(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(chosen): Fields<Chosen>,
) -> ApiResult<Response> {
    limit::check(&state, Rule::SignInByIp, caller.network()).await?;
    // Whoever came in by a recovery code has lost what else they would show; setting a password ends that session.
    let strong = enter::strong_account(&session).await?;
    match account::join(&state, &chosen.token, &chosen.password).await {
        Ok(account) => {
            let shown = match strong == Some(account.id) {
                true => Shown::More,
                false => Shown::Password,
            };
            enter::remember(&state, &session, (&account, shown), &headers).await?;
            Ok(Redirect::to("/dashboard").into_response())
        }
        Err(error) => SetPage::empty(chosen.token, false).failed(error),
    }
}
