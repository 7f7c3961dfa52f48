//! Who else may come in, and what they may do on an app.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{sentence, status};
use crate::{
    account::{self, Account, AccountError, Member, Role},
    client::Email,
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    limit::{self, Rule},
    pages::{
        dashboard::{Access, Fields, Frame, Owner, layout},
        layout::{Layout, Page},
    },
    platform::{
        secret::Secret,
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
    own: Uuid,
    is_administrator: bool,
    members: Vec<Member>,
    roles: [Role; 3],
    /// A link for somebody new, and how long it is good for: shown this once.
    link: Option<(String, String)>,
}

dashboard_pages!(AccessPage);

async fn show(
    state: &AppState,
    access: &Access,
    (error, email): (Option<AccountError>, String),
    link: Option<(String, String)>,
) -> ApiResult<Response> {
    let status = error.as_ref().map_or(StatusCode::OK, status);
    let page = AccessPage {
        layout: layout(),
        frame: access.frame("access").await?,
        error: error.map(sentence).transpose()?,
        email,
        own: access.account.id,
        is_administrator: access.account.is_administrator,
        members: account::members(&state.db, access.site.id).await?,
        roles: Role::ALL,
        link,
    };
    page.answer(status)
}

pub(super) async fn page(State(state): State<Shared>, Owner(access): Owner) -> ApiResult<Response> {
    show(&state, &access, (None, String::new()), None).await
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    role: Role,
}

/// The account of an address. Only who runs the installation makes new ones: whoever holds a new account's link
/// is that account, on every site where it is let in later.
async fn account_at(
    state: &AppState,
    access: &Access,
    email: &str,
) -> Result<(Account, Option<Secret>), AccountError> {
    // Owners could ask who has an account.
    limit::check(
        state,
        Rule::SignInByAccount,
        format!("access {}", access.account.id),
    )
    .await?;
    let parsed = Email::try_from(email.to_owned());
    let parsed = parsed
        .map_err(|_| AccountError::Email("Write the whole address, such as ann@example.com."))?;
    if let Some(account) = account::find_by_email(&state.db, &parsed).await? {
        return Ok((account, None));
    }
    if !access.account.is_administrator {
        return Err(AccountError::NotFound);
    }
    let now = state.now();
    let account = account::create(&state.db, &state.keys, email, false, now).await?;
    let token = account::offer(&state.db, &state.keys, Some(account.id), now).await?;
    Ok((account, Some(token)))
}

pub(super) async fn give(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(given): Fields<Given>,
) -> ApiResult<Response> {
    let (account, token) = match account_at(&state, &access, &given.email).await {
        Ok(found) => found,
        Err(error) => return show(&state, &access, (Some(error), given.email), None).await,
    };
    let at = (account.id, access.site.id);
    account::give_role(&state.db, &state.keys, at, given.role, state.now()).await?;
    match token {
        None => {
            let sentence = format!("{} is now {} here.", account.email, given.role.as_str());
            access.back_to("/access", &sentence).await
        }
        Some(token) => {
            let url = state.settings.public_url();
            let link = format!("{url}/dashboard/join?token={}", token.reveal());
            let days = format!("{} days", account::LIFE.num_days());
            show(&state, &access, (None, String::new()), Some((link, days))).await
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
    let is_gone = account::take_role(&state.db, &state.keys, at, state.now()).await?;
    let sentence = if is_gone {
        "They may not come in here any more."
    } else {
        "They had no role here."
    };
    access.back_to("/access", sentence).await
}
