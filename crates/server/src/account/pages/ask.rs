//! Asking for a letter at the door: one that sets another password, or makes an account. What is answered is the same
//! for every address.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{sentence, status};
use crate::{
    account::{self, AccountError, Asked},
    dashboard_pages,
    http::{error::ApiResult, request::ClientIp},
    pages::{
        dashboard::{Fields, layout},
        layout::{Layout, Page},
    },
    platform::{
        config::SignUp,
        state::{Shared, State as AppState},
    },
};

#[derive(Template)]
#[template(path = "account/pages/ask.html")]
struct AskPage {
    layout: Layout,
    error: Option<String>,
    email: String,
    what: Asked,
    stage: Stage,
}

dashboard_pages!(AskPage);

#[derive(PartialEq, Eq)]
enum Stage {
    /// The form.
    Form,
    /// The letter is on its way, if there is anybody to write to.
    Sent,
    /// Nothing can be asked for.
    Closed,
}

impl AskPage {
    fn new(what: Asked, stage: Stage) -> Self {
        Self {
            layout: layout(),
            error: None,
            email: String::new(),
            what,
            stage,
        }
    }

    fn is_for_account(&self) -> bool {
        self.what == Asked::Account
    }
}

/// Whether such letters are written at all.
pub(super) fn is_offered(state: &AppState, what: Asked) -> bool {
    let is_open = state.settings.accounts.sign_up == SignUp::Open;
    state.post.is_open() && (what == Asked::Password || is_open)
}

fn form(state: &AppState, what: Asked) -> ApiResult<Response> {
    if is_offered(state, what) {
        AskPage::new(what, Stage::Form).answer(StatusCode::OK)
    } else {
        AskPage::new(what, Stage::Closed).answer(StatusCode::NOT_FOUND)
    }
}

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    email: String,
}

async fn ask(
    state: &AppState,
    caller: ClientIp,
    what: Asked,
    Typed { email }: Typed,
) -> ApiResult<Response> {
    if !is_offered(state, what) {
        return AskPage::new(what, Stage::Closed).answer(StatusCode::NOT_FOUND);
    }
    let asked: Result<(), AccountError> =
        account::ask(state, caller.network(), (what, &email)).await;
    let (mut page, status) = match asked {
        Ok(()) => (AskPage::new(what, Stage::Sent), StatusCode::OK),
        Err(error) => {
            let status = status(&error);
            let mut page = AskPage::new(what, Stage::Form);
            page.error = Some(sentence(error)?);
            (page, status)
        }
    };
    page.email = email;
    page.answer(status)
}

pub(super) async fn forgot_page(State(state): State<Shared>) -> ApiResult<Response> {
    form(&state, Asked::Password)
}

pub(super) async fn forgot(
    State(state): State<Shared>,
    caller: ClientIp,
    Fields(typed): Fields<Typed>,
) -> ApiResult<Response> {
    ask(&state, caller, Asked::Password, typed).await
}

pub(super) async fn sign_up_page(State(state): State<Shared>) -> ApiResult<Response> {
    form(&state, Asked::Account)
}

pub(super) async fn sign_up(
    State(state): State<Shared>,
    caller: ClientIp,
    Fields(typed): Fields<Typed>,
) -> ApiResult<Response> {
    ask(&state, caller, Asked::Account, typed).await
}
