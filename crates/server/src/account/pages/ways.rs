//! Ways into one's account besides the password: passkeys, one's own face, recovery codes. Changing one takes the password.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{sentence, status};
use crate::{
    account::{self, AccountError, FaceWay, RelyingParty, Second},
    dashboard_pages,
    enrolment::EnrolmentError,
    http::error::ApiResult,
    pages::{
        dashboard::{Fields, Frame, SignedIn, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        qr,
        state::{Shared, State as AppState},
    },
};

#[derive(Template)]
#[template(path = "account/pages/ways.html")]
struct WaysPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    /// Whether nothing else is open until one is added.
    must_add: bool,
    face: FaceWay,
    codes: u64,
    /// Whether browsers make passkeys for this address.
    has_passkeys: bool,
    passkeys: Vec<Line>,
}

/// A passkey as it is listed.
struct Line {
    id: String,
    /// Names its field for the password.
    field: String,
    name: String,
    since: When,
    used: Option<When>,
}

#[derive(Template)]
#[template(path = "account/pages/codes.html")]
struct CodesPage {
    layout: Layout,
    frame: Frame,
    codes: Vec<Zeroizing<String>>,
    all: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "account/pages/pair.html")]
struct PairPage {
    layout: Layout,
    frame: Frame,
    url: String,
    /// Side of the drawing, modules.
    side: usize,
    /// The dark modules, as an SVG path.
    path: String,
    minutes: u32,
}

dashboard_pages!(WaysPage, CodesPage, PairPage);

pub(super) async fn show(
    state: &AppState,
    signed_in: &SignedIn,
    error: Option<AccountError>,
) -> ApiResult<Response> {
    let status = error.as_ref().map_or(StatusCode::OK, status);
    let page = WaysPage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        error: error.map(sentence).transpose()?,
        must_add: account::second_asked(state, &signed_in.account).await? == Second::MustAdd,
        face: account::face_way(state, &signed_in.account).await?,
        codes: account::codes_left(&state.db, &signed_in.account).await?,
        has_passkeys: RelyingParty::of(&state.settings.public_url()).is_some(),
        passkeys: lines(state, signed_in).await?,
    };
    page.answer(status)
}

async fn lines(state: &AppState, signed_in: &SignedIn) -> ApiResult<Vec<Line>> {
    let now = state.now();
    let known = account::passkeys(&state.db, &signed_in.account).await?;
    let line = |(number, passkey): (usize, account::Passkey)| Line {
        field: format!("passkey-{}", number + 1),
        id: URL_SAFE_NO_PAD.encode(&passkey.id),
        name: passkey.name,
        since: When::new(passkey.created_at, now),
        used: passkey.used_at.map(|used| When::new(used, now)),
    };
    Ok(known.into_iter().enumerate().map(line).collect())
}

pub(super) async fn page(State(state): State<Shared>, signed_in: SignedIn) -> ApiResult<Response> {
    show(&state, &signed_in, None).await
}

#[derive(Deserialize)]
pub(super) struct Present {
    #[serde(default)]
    present: String,
}

/// Shown by the answer alone. Sending the form again makes others, and these are worth nothing then.
pub(super) async fn make_codes(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(given): Fields<Present>,
) -> ApiResult<Response> {
    let codes = match account::make_codes(&state, &signed_in.account, &given.present).await {
        Ok(codes) => codes,
        Err(error) => return show(&state, &signed_in, Some(error)).await,
    };
    let texts: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let page = CodesPage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        all: Zeroizing::new(texts.join("\n")),
        codes,
    };
    page.answer(StatusCode::OK)
}

pub(super) async fn drop_codes(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(given): Fields<Present>,
) -> ApiResult<Response> {
    let dropped = account::drop_codes(&state, &signed_in.account, &given.present).await;
    done(
        &state,
        &signed_in,
        dropped,
        "No recovery code is good any more.",
    )
    .await
}

pub(super) async fn set_up_face(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(given): Fields<Present>,
) -> ApiResult<Response> {
    let url = match account::set_up_face(&state, &signed_in.account, &given.present).await {
        Ok(url) => url,
        Err(error) => return show(&state, &signed_in, Some(error)).await,
    };
    let (side, path) = qr::svg_path(&url).map_err(EnrolmentError::from)?;
    let page = PairPage {
        layout: layout(),
        frame: signed_in.frame("account").await?,
        url,
        side,
        path,
        minutes: state.settings.enrolment.lifetime.div_ceil(60),
    };
    page.answer(StatusCode::OK)
}

pub(super) async fn drop_face(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(given): Fields<Present>,
) -> ApiResult<Response> {
    let dropped = account::drop_face(&state, &signed_in.account, &given.present).await;
    done(
        &state,
        &signed_in,
        dropped,
        "Your face and its phones are erased here.",
    )
    .await
}

pub(super) async fn done(
    state: &AppState,
    signed_in: &SignedIn,
    outcome: Result<(), AccountError>,
    sentence: &str,
) -> ApiResult<Response> {
    match outcome {
        Ok(()) => {
            signed_in.say(sentence).await?;
            Ok(Redirect::to("/dashboard/account/ways").into_response())
        }
        Err(error) => show(state, signed_in, Some(error)).await,
    }
}
