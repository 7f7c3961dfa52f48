//! Who else may come in, and what they may do on an app.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{sentence, status};
use crate::{
    account::{self, AccountError, By, LetIn, Member, Role},
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{Access, Fields, Frame, Owner, layout},
        layout::{Layout, Page},
    },
    platform::{
        config::SignUp,
        state::{Shared, State as AppState},
    },
};

#[derive(Template)]
#[template(path = "account/pages/access.html")]
struct AccessPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    email: String,
    /// The role that is offered first, or was chosen before.
    role: Role,
    own: Uuid,
    /// Whether somebody without an account gets one.
    may_make: bool,
    /// Whether a letter tells them.
    has_mail: bool,
    members: Vec<Member>,
    roles: [Role; 3],
    /// A link for somebody new, and how long it is good for: shown this once.
    link: Option<(String, String)>,
}

dashboard_pages!(AccessPage);

/// What the form of this page holds.
struct Typed {
    email: String,
    role: Role,
}

impl Typed {
    fn nothing() -> Self {
        Self {
            email: String::new(),
            role: Role::ALL[0],
        }
    }
}

async fn show(
    state: &AppState,
    access: &Access,
    (error, typed): (Option<AccountError>, Typed),
    link: Option<(String, String)>,
) -> ApiResult<Response> {
    let status = error.as_ref().map_or(StatusCode::OK, status);
    let has_mail = state.post.is_open();
    let may_invite = has_mail && state.settings.accounts.sign_up != SignUp::Closed;
    let page = AccessPage {
        layout: layout(),
        frame: access.frame("access").await?,
        error: error.map(sentence).transpose()?,
        email: typed.email,
        role: typed.role,
        own: access.account.id,
        may_make: access.account.is_administrator || may_invite,
        has_mail,
        members: account::members(&state.db, access.site.id).await?,
        roles: Role::ALL,
        link,
    };
    page.answer(status)
}

pub(super) async fn page(State(state): State<Shared>, Owner(access): Owner) -> ApiResult<Response> {
    show(&state, &access, (None, Typed::nothing()), None).await
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    role: Role,
}

pub(super) async fn give(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(given): Fields<Given>,
) -> ApiResult<Response> {
    let whom = (given.email.as_str(), given.role);
    let role = given.role.as_str();
    match account::let_in(&state, &access.account, &access.site, whom).await {
        Ok(LetIn::Letter(account)) => {
            let sentence = format!("{} is {role} here. A letter tells them.", account.email);
            access.back_to("/access", sentence).await
        }
        Ok(LetIn::Word(account)) => {
            let sentence = format!("{} is now {role} here.", account.email);
            access.back_to("/access", sentence).await
        }
        Ok(LetIn::Link(_, token)) => {
            let link = account::join_address(&state.settings.public_url(), &token);
            let days = format!("{} days", account::LIFE.num_days());
            show(
                &state,
                &access,
                (None, Typed::nothing()),
                Some((link, days)),
            )
            .await
        }
        Err(error) => {
            let typed = Typed {
                email: given.email,
                role: given.role,
            };
            show(&state, &access, (Some(error), typed), None).await
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Whose {
    account: Uuid,
}

pub(super) async fn remove(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(whose): Fields<Whose>,
) -> ApiResult<Response> {
    if whose.account == access.account.id {
        return Err(ApiError::invalid("account", "is your own"));
    }
    let at = (whose.account, access.site.id);
    let by = By::account(&access.account);
    let sentence = match account::take_role(&state.db, &state.keys, at, by, state.now()).await {
        Ok(true) => "They may not come in here any more.",
        Ok(false) => "They had no role here.",
        Err(error) => return show(&state, &access, (Some(error), Typed::nothing()), None).await,
    };
    access.back_to("/access", sentence).await
}
