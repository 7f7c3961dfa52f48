//! Signing in and out.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;
use uuid::Uuid;

use super::{ask::is_offered, sentence, status};
use crate::{
    account::{self, Account, Asked, RelyingParty},
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
    /// Whether a letter sets another password, and makes an account.
    has_mail: bool,
    may_sign_up: bool,
    /// Whether browsers make passkeys for this address.
    has_passkeys: bool,
    /// The way in by face, where anybody has set theirs up.
    face: Option<String>,
}

dashboard_pages!(SignInPage);

impl SignInPage {
    async fn new(state: &AppState, next: String) -> ApiResult<Self> {
        let is_open = account::door(state).await?.is_some();
        let face = is_open.then(|| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("next", &next);
            format!("/dashboard/sign-in/face?{}", query.finish())
        });
        Ok(Self {
            layout: layout(),
            error: None,
            email: String::new(),
            next,
            has_mail: is_offered(state, Asked::Password),
            may_sign_up: is_offered(state, Asked::Account),
            has_passkeys: RelyingParty::of(&state.settings.public_url()).is_some(),
            face,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// A path below `/dashboard`, or its first page: nobody is led elsewhere by what an address says.
pub(super) fn own(next: &str) -> String {
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
    SignInPage::new(&state, next).await?.answer(StatusCode::OK)
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
            remember(&state, &session, (&account, Shown::Password), &headers).await?;
            Ok(Redirect::to(&next).into_response())
        }
        Err(error) => {
            let status = status(&error);
            let mut page = SignInPage::new(&state, next).await?;
            page.error = Some(sentence(error)?);
            page.email = proof.email;
            page.answer(status)
        }
    }
}

/// What somebody has shown who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// A password alone.
    Password,
    /// A passkey, their own face, a recovery code.
    More,
}

/// Whose session this is, if it was begun by more than a password.
pub(super) async fn strong_account(session: &Session) -> ApiResult<Option<Uuid>> {
    let failed = |error: tower_sessions::session::Error| ApiError::internal(&error);
    let known = session.get::<session::SignedIn>(session::SignedIn::NAME);
    let known = known.await.map_err(failed)?;
    Ok(known
        .filter(|known| known.is_strong)
        .map(|known| known.account_id))
}

/// Notes that whoever is signed in here has shown more than their password.
pub(super) async fn note_more(session: &Session) -> ApiResult<()> {
    let failed = |error: tower_sessions::session::Error| ApiError::internal(&error);
    let known = session.get::<session::SignedIn>(session::SignedIn::NAME);
    if let Some(known) = known.await.map_err(failed)? {
        let known = session::SignedIn {
            is_strong: true,
            ..known
        };
        let kept = session.insert(session::SignedIn::NAME, known).await;
        kept.map_err(failed)?;
    }
    Ok(())
}

/// Signs an account in, under a new name of the session: one that was known before is worth nothing.
pub(super) async fn remember(
    state: &AppState,
    session: &Session,
    (account, shown): (&Account, Shown),
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
        proof: account.proof(),
        is_strong: shown == Shown::More,
        since: state.now(),
        browser,
        os,
        network: network.map_or(String::new(), |network| network.to_string()),
    };
    let kept = session.insert(session::SignedIn::NAME, signed_in).await;
    kept.map_err(failed)
}

/// Keeps a session over a change of the password that it was begun by.
pub(super) async fn prove_anew(session: &Session, account: &Account) -> ApiResult<()> {
    let failed = |error: tower_sessions::session::Error| ApiError::internal(&error);
    let known = session.get::<session::SignedIn>(session::SignedIn::NAME);
    if let Some(known) = known.await.map_err(failed)? {
        let proof = account.proof();
        let known = session::SignedIn { proof, ..known };
        let kept = session.insert(session::SignedIn::NAME, known).await;
        kept.map_err(failed)?;
    }
    Ok(())
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
