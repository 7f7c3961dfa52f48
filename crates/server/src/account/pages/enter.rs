//! Signing in and out.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::{sentence, status};
use crate::{
    account::{self, Account},
    audit, dashboard_pages,
    http::{
        error::{ApiError, ApiResult},
        extract::Query,
        request::{ClientIp, header_text},
    },
    pages::{
        dashboard::{Fields, SignedIn, guard, layout},
        layout::{Layout, Page},
    },
    platform::{
        state::{Shared, State as AppState},
        user_agent,
    },
    session,
};

#[derive(Template)]
#[template(path = "account/pages/sign_in.html")]
struct SignInPage {
    layout: Layout,
    error: Option<String>,
    email: String,
    /// Where to go to afterwards, a path of ours.
    next: String,
}

dashboard_pages!(SignInPage);

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// A path below `/dashboard`, or its first page: nobody is led elsewhere by what an address says.
fn own(next: &str) -> String {
    let plain = |sign: u8| sign.is_ascii_alphanumeric() || b"/-_.~?=&%+:@".contains(&sign);
    let is_ours = next == "/dashboard" || next.starts_with("/dashboard/");
    let is_plain = next.bytes().all(plain) && !next.contains("//") && !next.contains("..");
    if is_ours && is_plain && next.len() <= 2_000 {
        next.to_owned()
    } else {
        "/dashboard".to_owned()
    }
}

pub(super) async fn page(
    State(state): State<Shared>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    let next = own(&wanted.next);
    if guard::account_of(&state, &session).await?.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    if !account::any(&state.db).await? {
        return Ok(Redirect::to("/dashboard/set-up").into_response());
    }
    let page = SignInPage {
        layout: layout(),
        error: None,
        email: String::new(),
        next,
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Proof {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(proof): Fields<Proof>,
) -> ApiResult<Response> {
    let next = own(&proof.next);
    match account::sign_in(&state, caller.network(), &proof.email, &proof.password).await {
        Ok(account) => {
            remember(&state, &session, &account, &headers).await?;
            Ok(Redirect::to(&next).into_response())
        }
        Err(error) => {
            let status = status(&error);
            let page = SignInPage {
                layout: layout(),
                error: Some(sentence(error)?),
                email: proof.email,
                next,
            };
            page.answer(status)
        }
    }
}

/// Signs an account in, under a new name of the session: one that was known before is worth nothing.
pub(super) async fn remember(
    state: &AppState,
    session: &Session,
    account: &Account,
    headers: &HeaderMap,
) -> ApiResult<()> {
    let failed = |error: tower_sessions::session::Error| ApiError::internal(&error);
    let agent = header_text(headers, "user-agent").unwrap_or_default();
    let (browser, os) = user_agent::describe(agent);
    let network = audit::current().network;
    // What a stranger had put into it goes too.
    session.clear().await;
    session.cycle_id().await.map_err(failed)?;
    let signed_in = session::SignedIn {
        account_id: account.id,
        since: state.now(),
        browser,
        os,
        network: network.map_or(String::new(), |network| network.to_string()),
    };
    let kept = session.insert(session::SignedIn::NAME, signed_in).await;
    kept.map_err(failed)
}

pub(super) async fn sign_out(
    State(state): State<Shared>,
    signed_in: SignedIn,
) -> ApiResult<Redirect> {
    if let Err(error) = account::signed_out(&state).await {
        return Err(ApiError::internal(&error));
    }
    let gone = signed_in.session.flush().await;
    gone.map_err(|error| ApiError::internal(&error))?;
    Ok(Redirect::to("/dashboard/sign-in"))
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn nobody_is_led_elsewhere() {
        for next in ["/dashboard/apps/1?q=a%20b", "/dashboard"] {
            assert_eq!(own(next), next);
        }
        for next in [
            "",
            "https://evil.example",
            "//evil.example",
            "/dashboard//evil.example",
            "/dashboard/../..//evil.example",
            "/dashboard\\evil",
            "/dashboardevil",
            "/dashboard/\r\nset-cookie: a=b",
            "javascript:alert(1)",
        ] {
            assert_eq!(own(next), "/dashboard", "{next}");
        }
    }
}
