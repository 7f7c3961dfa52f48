//! Passkeys on pages: made on one's account, shown at the door. A challenge is in the browser's session, for five minutes
//! and one answer.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use uuid::Uuid;

use super::{
    enter::{self, own},
    failed, sentence, status, ways,
};
use crate::{
    account::{self, AccountError, Answer, Registration, RelyingParty},
    dashboard_pages,
    http::{error::ApiResult, request::ClientIp},
    limit::{self, Rule},
    pages::{
        dashboard::{Fields, Frame, SignedIn, layout},
        layout::{Layout, Page},
    },
    platform::{
        clock::Moment,
        state::{Shared, State as AppState},
    },
};

/// Under which name a session keeps the challenge that it waits for.
const CHALLENGE: &str = "dashboard.passkey";

/// How long a challenge may be answered.
const LIFE: TimeDelta = TimeDelta::minutes(5);

/// What a challenge was drawn for. It is good for nothing else: anybody may ask for one to sign in, and one that makes a
/// passkey says that this account's password was known.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
enum Ceremony {
    SignIn,
    MakeFor(Uuid),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    ceremony: Ceremony,
    challenge: String,
    until: Moment,
}

/// Draws a challenge, in the place of any that the session kept; as pages have it.
async fn draw(state: &AppState, session: &Session, ceremony: Ceremony) -> ApiResult<String> {
    let challenge = URL_SAFE_NO_PAD.encode(account::passkey_challenge());
    let kept = Kept {
        ceremony,
        challenge: challenge.clone(),
        until: state.now() + LIFE,
    };
    session.insert(CHALLENGE, kept).await.map_err(failed)?;
    Ok(challenge)
}

/// Takes the session's challenge, for one answer; nothing where there is none for this.
async fn take(state: &AppState, session: &Session, ceremony: Ceremony) -> ApiResult<Vec<u8>> {
    // One that was kept by a program of before says nothing of what it is for.
    let kept = session.remove_value(CHALLENGE).await.map_err(failed)?;
    let kept = kept.and_then(|kept| serde_json::from_value::<Kept>(kept).ok());
    let kept = kept.filter(|kept| kept.ceremony == ceremony && kept.until > state.now());
    Ok(kept.map_or(Vec::new(), |kept| decoded(&kept.challenge)))
}

/// What cannot be read is nothing, and proves nothing.
fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

fn party(state: &AppState) -> Option<RelyingParty> {
    RelyingParty::of(&state.settings.public_url())
}

#[derive(Template)]
#[template(path = "account/pages/passkey_make.html")]
struct MakePage {
    layout: Layout,
    frame: Frame,
    domain: String,
    challenge: String,
    user: String,
    /// The ids of those that there are, so that none is made twice in one place.
    known: String,
}

#[derive(Template)]
#[template(path = "account/pages/passkey_show.html")]
struct ShowPage {
    layout: Layout,
    error: Option<String>,
    domain: String,
    challenge: String,
    next: String,
}

dashboard_pages!(MakePage, ShowPage);

#[derive(Deserialize)]
pub(super) struct Present {
    #[serde(default)]
    present: String,
}

pub(super) async fn make(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(given): Fields<Present>,
) -> ApiResult<Response> {
    let Some(party) = party(&state) else {
        return ways::show(&state, &signed_in, None).await;
    };
    let known = account::may_make_passkey(&state, &signed_in.account, &given.present).await;
    let known = match known {
        Ok(known) => known,
        Err(error) => return ways::show(&state, &signed_in, Some(error)).await,
    };
    let known: Vec<String> = known
        .iter()
        .map(|passkey| URL_SAFE_NO_PAD.encode(&passkey.id))
        .collect();
    let page = MakePage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        domain: party.id().to_owned(),
        challenge: draw(
            &state,
            &signed_in.session,
            Ceremony::MakeFor(signed_in.account.id),
        )
        .await?,
        user: URL_SAFE_NO_PAD.encode(signed_in.account.id.as_bytes()),
        known: known.join(" "),
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Made {
    #[serde(default)]
    client_data: String,
    #[serde(default)]
    authenticator_data: String,
    #[serde(default)]
    name: String,
}

pub(super) async fn add(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(made): Fields<Made>,
) -> ApiResult<Response> {
    let Some(party) = party(&state) else {
        return ways::show(&state, &signed_in, None).await;
    };
    let ceremony = Ceremony::MakeFor(signed_in.account.id);
    let challenge = take(&state, &signed_in.session, ceremony).await?;
    let (client_data, authenticator_data) = (
        decoded(&made.client_data),
        decoded(&made.authenticator_data),
    );
    let registration = Registration {
        client_data: &client_data,
        authenticator_data: &authenticator_data,
        name: &made.name,
    };
    let added = account::add_passkey(
        &state,
        &signed_in.account,
        (&party, &challenge),
        &registration,
    );
    let added = added.await;
    if added.is_ok() {
        enter::note_more(&signed_in.session).await?;
    }
    ways::done(
        &state,
        &signed_in,
        added,
        "Your passkey signs you in from now on.",
    )
    .await
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    present: String,
    #[serde(default)]
    id: String,
}

pub(super) async fn remove(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(which): Fields<Which>,
) -> ApiResult<Response> {
    let id = decoded(&which.id);
    let given = (which.present.as_str(), id.as_slice());
    let removed = account::remove_passkey(&state, &signed_in.account, given).await;
    ways::done(
        &state,
        &signed_in,
        removed,
        "The passkey signs nobody in any more.",
    )
    .await
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

async fn show(
    state: &AppState,
    session: &Session,
    (error, status): (Option<String>, StatusCode),
    next: String,
) -> ApiResult<Response> {
    let Some(party) = party(state) else {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    };
    let page = ShowPage {
        layout: layout(),
        error,
        domain: party.id().to_owned(),
        challenge: draw(state, session, Ceremony::SignIn).await?,
        next,
    };
    page.answer(status)
}

pub(super) async fn ask(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    Fields(wanted): Fields<Wanted>,
) -> ApiResult<Response> {
    let kept = session.get_value(CHALLENGE).await.map_err(failed)?;
    if kept.is_none() {
        // Whoever is new here gets a session, which is kept for a while.
        limit::check(&state, Rule::SignInByIp, caller.network()).await?;
    }
    let fine = (None, StatusCode::OK);
    show(&state, &session, fine, own(&wanted.next)).await
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    id: String,
    #[serde(default)]
    client_data: String,
    #[serde(default)]
    authenticator_data: String,
    #[serde(default)]
    signature: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(
    State(state): State<Shared>,
    caller: ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(shown): Fields<Shown>,
) -> ApiResult<Response> {
    let next = own(&shown.next);
    let Some(party) = party(&state) else {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    };
    let challenge = take(&state, &session, Ceremony::SignIn).await?;
    let (id, client_data) = (decoded(&shown.id), decoded(&shown.client_data));
    let (authenticator_data, signature) = (
        decoded(&shown.authenticator_data),
        decoded(&shown.signature),
    );
    let answer = Answer {
        id: &id,
        client_data: &client_data,
        authenticator_data: &authenticator_data,
        signature: &signature,
    };
    let asked = (&party, challenge.as_slice());
    match account::sign_in_by_passkey(&state, caller.network(), asked, &answer).await {
        Ok(account) => {
            enter::remember(&state, &session, (&account, enter::Shown::More), &headers).await?;
            Ok(Redirect::to(&next).into_response())
        }
        Err(error) => {
            let status = status(&error);
            let said = match error {
                AccountError::Refused => {
                    "This passkey signs nobody in here. Try again, or use your password.".to_owned()
                }
                error => sentence(error)?,
            };
            show(&state, &session, (Some(said), status), next).await
        }
    }
}
