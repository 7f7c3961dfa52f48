//! Signing in by one's own face: the phone is asked, this page shows the number, and waits. What it waits for is in the
//! browser's session alone. Without scripts a button looks again.

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::{
    enter::{self, Shown, own},
    failed, sentence, status,
};
use crate::{
    account::{self, AccountError},
    dashboard_pages,
    http::{
        error::{ApiResult, in_words},
        extract::Query,
        request::{ClientIp, header_text},
    },
    limit::Limited,
    pages::{
        dashboard::{Fields, guard, layout},
        layout::{Layout, May, Page},
    },
    platform::{
        clock::{Moment, seconds},
        state::{Shared, State as AppState},
    },
    sign_on::{self, PageStatus, SignOnError},
    site::Site,
};

const HERE: &str = "/dashboard/sign-in/face";

/// Under which name a session keeps what it waits for.
const PENDING: &str = "dashboard.face";

/// What a browser waits for.
#[derive(Clone, Serialize, Deserialize)]
struct Pending {
    token: String,
    number: Option<i32>,
    next: String,
    until: Moment,
}

#[derive(Template)]
#[template(path = "account/pages/by_face.html")]
struct ByFacePage {
    layout: Layout,
    error: Option<String>,
    email: String,
    next: String,
}

dashboard_pages!(ByFacePage);

#[derive(Template)]
#[template(path = "account/pages/by_face_waiting.html")]
struct WaitingPage {
    layout: Layout,
    /// Two digits.
    number: Option<(char, char)>,
    is_scanning: bool,
    minutes: String,
}

impl Page for WaitingPage {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn may(&self) -> &'static [May] {
        &[May::SendForms, May::ShowImages, May::Fetch]
    }
}

async fn form(
    (error, status): (Option<String>, StatusCode),
    (email, next): (String, String),
) -> ApiResult<Response> {
    let page = ByFacePage {
        layout: layout(),
        error,
        email,
        next,
    };
    page.answer(status)
}

/// What this browser waits for, while the dashboard's site lets anybody in.
async fn pending(state: &AppState, session: &Session) -> ApiResult<Option<(Site, Pending)>> {
    let Some(site) = account::door(state).await? else {
        return Ok(None);
    };
    let kept: Option<Pending> = session.get(PENDING).await.map_err(failed)?;
    Ok(kept.map(|pending| (site, pending)))
}

async fn standing(state: &AppState, site: &Site, pending: &Pending) -> ApiResult<PageStatus> {
    match sign_on::standing_at_door(state, site, &pending.token).await {
        Ok(standing) => Ok(standing),
        Err(SignOnError::Database(error)) => Err(error.into()),
        // Its record is gone, or its client: it ends like one that nobody answers.
        Err(_) => Ok(PageStatus::from(&crate::platform::events::Verdict::Expired)),
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

pub(super) async fn page(
    State(state): State<Shared>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    if guard::account_of(&state, &session).await?.is_some() {
        return Ok(Redirect::to(&own(&wanted.next)).into_response());
    }
    if account::door(&state).await?.is_none() {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    }
    let Some((site, waits)) = pending(&state, &session).await? else {
        let typed = (String::new(), own(&wanted.next));
        return form((None, StatusCode::OK), typed).await;
    };
    let is_scanning = match standing(&state, &site, &waits).await? {
        PageStatus::Failed { user_message, .. }
        | PageStatus::Denied { user_message, .. }
        | PageStatus::Expired { user_message, .. } => {
            let gone = session.remove::<Pending>(PENDING).await;
            gone.map_err(failed)?;
            let said = (Some(user_message.to_owned()), StatusCode::OK);
            return form(said, (String::new(), waits.next)).await;
        }
        PageStatus::Scanning | PageStatus::Retry { .. } | PageStatus::Verified { .. } => true,
        PageStatus::Pending => false,
    };
    let left = (waits.until - state.now()).num_seconds().max(0);
    let digit = |number: i32| char::from_digit(u32::try_from(number % 10).unwrap_or(0), 10);
    let number = waits.number.and_then(|number| {
        let digits = (digit(number / 10)?, digit(number)?);
        Some(digits)
    });
    let page = WaitingPage {
        layout: layout(),
        number,
        is_scanning,
        minutes: in_words(left.unsigned_abs()),
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    email: String,
    #[serde(default)]
    next: String,
}

/// A sentence for the person where it is their doing, else the failure itself.
fn refusal(error: SignOnError) -> ApiResult<(String, StatusCode)> {
    match error {
        SignOnError::Limited(Limited::Over { retry_after, .. }) => Ok((
            format!(
                "There were too many tries. Try again in {}.",
                in_words(retry_after)
            ),
            StatusCode::TOO_MANY_REQUESTS,
        )),
        SignOnError::Database(error) => Err(error.into()),
        // Asked too often, or reported from this network.
        _ => Ok((
            "Your phone cannot be asked from here now. Use your password, or try again later."
                .to_owned(),
            StatusCode::FORBIDDEN,
        )),
    }
}

pub(super) async fn ask(
    State(state): State<Shared>,
    ClientIp(ip): ClientIp,
    session: Session,
    headers: HeaderMap,
    Fields(typed): Fields<Typed>,
) -> ApiResult<Response> {
    let next = own(&typed.next);
    let Some(site) = account::door(&state).await? else {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    };
    let whom = match account::client_at_door(&state, &site, &typed.email).await {
        Ok(whom) => whom,
        Err(error) => {
            let status = status(&error);
            return form((Some(sentence(error)?), status), (typed.email, next)).await;
        }
    };
    let agent = header_text(&headers, "user-agent").unwrap_or_default();
    let browser = (ip, agent.to_owned());
    let asked = sign_on::ask_at_door(&state, &site, (&whom.0, whom.1), browser).await;
    let waiting = match asked {
        Ok(waiting) => waiting,
        Err(error) => {
            let (sentence, status) = refusal(error)?;
            return form((Some(sentence), status), (typed.email, next)).await;
        }
    };
    let kept = Pending {
        token: waiting.token.reveal().to_owned(),
        number: waiting.number,
        next,
        until: state.now() + seconds(state.settings.sign_on.lifetime),
    };
    session.insert(PENDING, kept).await.map_err(failed)?;
    Ok(Redirect::to(HERE).into_response())
}

#[derive(Serialize)]
pub(super) struct Told {
    state: &'static str,
}

/// For the page's script: `waiting`, `scanning`, or `over`, when the form is to be sent.
pub(super) async fn told(State(state): State<Shared>, session: Session) -> ApiResult<Json<Told>> {
    let state = match pending(&state, &session).await? {
        None => "over",
        Some((site, waits)) => match standing(&state, &site, &waits).await? {
            PageStatus::Pending => "waiting",
            PageStatus::Scanning | PageStatus::Retry { .. } => "scanning",
            _ => "over",
        },
    };
    Ok(Json(Told { state }))
}

/// Signs whoever answered in; while nobody has, leads back to the page, which says how it stands.
pub(super) async fn finish(
    State(state): State<Shared>,
    session: Session,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Some((site, waits)) = pending(&state, &session).await? else {
        return Ok(Redirect::to(HERE).into_response());
    };
    if !matches!(
        standing(&state, &site, &waits).await?,
        PageStatus::Verified { .. }
    ) {
        return Ok(Redirect::to(HERE).into_response());
    }
    match account::sign_in_by_face(&state, &site, &waits.token).await {
        Ok(account) => {
            enter::remember(&state, &session, (&account, Shown::More), &headers).await?;
            Ok(Redirect::to(&waits.next).into_response())
        }
        Err(AccountError::Refused) => {
            let gone = session.remove::<Pending>(PENDING).await;
            gone.map_err(failed)?;
            let said = "This sign-on signs nobody in. Please start again.".to_owned();
            let said = (Some(said), StatusCode::UNAUTHORIZED);
            form(said, (String::new(), waits.next)).await
        }
        Err(error) => {
            let status = status(&error);
            let said = (Some(sentence(error)?), status);
            form(said, (String::new(), waits.next)).await
        }
    }
}

pub(super) async fn cancel(State(state): State<Shared>, session: Session) -> ApiResult<Redirect> {
    if let Some((site, waits)) = pending(&state, &session).await? {
        match sign_on::cancel_at_door(&state, &site, &waits.token).await {
            Err(SignOnError::Database(error)) => return Err(error.into()),
            // Over is over.
            _ => {
                let gone = session.remove::<Pending>(PENDING).await;
                gone.map_err(failed)?;
            }
        }
    }
    Ok(Redirect::to("/dashboard/sign-in"))
}
