//! How an app's phones are woken: by whose service account, how that went lately, and a test.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::trial::Trial;
use crate::{
    account,
    audit::{self, Action, INSTALLATION},
    dashboard_pages, device,
    http::{
        error::{ApiError, ApiResult},
        extract::{self, Form, JSON_LIMIT, Query},
        request::body_too_large,
    },
    limit::{self, Rule},
    pages::{
        dashboard::{Access, Fields, Frame, Notice, Owner, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        outgoing::Outgoing,
        state::{Shared, State as AppState},
    },
    push::{self, Account, AccountError, Fcm, KeyFile, Lately, Means, Push},
};

/// How far back is told how pushes fared.
const LATELY: TimeDelta = TimeDelta::days(7);

/// Pushes on the page that no push service took, the latest.
const FAILED: u64 = 10;

#[derive(Template)]
#[template(path = "push/pages/push.html")]
struct PushPage {
    layout: Layout,
    frame: Frame,
    /// What is wrong with a key that was brought.
    error: Option<String>,
    /// The server's key for Web Push, and how many phones are woken by that.
    web_key: String,
    browsers: u64,
    /// How many phones have a native app.
    apps: u64,
    service: Option<Service>,
    lately: Lately,
    failed: Vec<Failed>,
    trial: Trial,
}

dashboard_pages!(PushPage);

impl PushPage {
    fn has_own(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.is_own)
    }
}

/// The service account in force.
struct Service {
    account: Account,
    /// Whether the app brought it, or else whoever runs the server.
    is_own: bool,
    since: When,
    /// Who brought the app's own, where the log still has it.
    by: Option<String>,
}

/// A push that no push service took.
struct Failed {
    push: Push,
    when: When,
}

async fn service(state: &AppState, access: &Access) -> ApiResult<Option<Service>> {
    let Some(account) = push::account_for(&state.db, access.site.id).await? else {
        return Ok(None);
    };
    let is_own = account.scope != INSTALLATION;
    let by = if is_own {
        let at = account.created_at;
        let who = audit::who(&state.db, access.site.id, Action::PushAccountSet, at).await?;
        let names = account::names_of_actors(&state.db, who.as_deref()).await?;
        who.map(|actor| names.get(&actor).cloned().unwrap_or(actor))
    } else {
        None
    };
    Ok(Some(Service {
        since: When::new(account.created_at, state.now()),
        is_own,
        by,
        account,
    }))
}

async fn show(
    state: &AppState,
    access: &Access,
    (error, status): (Option<String>, StatusCode),
    trial: Trial,
) -> ApiResult<Response> {
    let (db, site_id, now) = (&state.db, access.site.id, state.now());
    let web_key = push::public_key(state).await;
    let page = PushPage {
        layout: layout(),
        frame: access.frame("keys").await?,
        error,
        web_key: web_key.map_err(|error| ApiError::internal(&error))?,
        browsers: device::woken_at(db, site_id, "web_push").await?,
        apps: device::woken_at(db, site_id, "fcm").await?,
        service: service(state, access).await?,
        lately: push::lately(db, site_id, now - LATELY).await?,
        failed: push::latest(db, site_id, true, FAILED)
            .await?
            .into_iter()
            .map(|push| Failed {
                when: When::new(push.created_at, now),
                push,
            })
            .collect(),
        trial,
    };
    page.answer(status)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    whom: String,
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    let trial = Trial::of((&state.db, state.now()), &access.site, &wanted.whom).await?;
    show(&state, &access, (None, StatusCode::OK), trial).await
}

/// The key in a form: the file, or else what was pasted.
async fn key(request: Request) -> Result<Zeroizing<String>, &'static str> {
    const NEITHER: &str = "choose the file, or paste what is in it";
    let (parts, body) = request.into_parts();
    let body = extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await;
    let body = body.map_err(|_| "the file is too long for a service account's key")?;
    let form = Form::parse(&parts.headers, &body).map_err(|_| NEITHER)?;
    let text = form.text("file").or_else(|_| form.text("key"));
    let text = Zeroizing::new(text.map_err(|_| NEITHER)?);
    // Editors on Windows may have put a mark before the first sign.
    Ok(Zeroizing::new(
        text.trim_start_matches('\u{feff}').trim().to_owned(),
    ))
}

pub(super) async fn bring(
    State(state): State<Shared>,
    Owner(access): Owner,
    request: Request,
) -> ApiResult<Response> {
    let refused = async |why: &str| {
        let sentence = format!("Nothing was changed: {why}.");
        let refused = (Some(sentence), StatusCode::UNPROCESSABLE_ENTITY);
        show(&state, &access, refused, Trial::default()).await
    };
    let text = match key(request).await {
        Ok(text) => text,
        Err(why) => return refused(why).await,
    };
    let file = match KeyFile::read(&text) {
        Ok(file) => file,
        Err(AccountError::File(why)) => return refused(&why).await,
        Err(error) => return Err(ApiError::internal(&error)),
    };
    let opened = (&state.db, &state.keys);
    push::set_account(opened, Some(access.site.id), &file, state.now())
        .await
        .map_err(|error| ApiError::internal(&error))?;
    let sentence = format!(
        "This app’s phones are woken as {}. Delete the file: it is kept sealed here, and is not shown again.",
        file.client_email
    );
    access.back_to("/push", sentence).await
}

pub(super) async fn remove(
    State(state): State<Shared>,
    Owner(access): Owner,
) -> ApiResult<Response> {
    let opened = (&state.db, &state.keys);
    let removed = push::remove_account(opened, Some(access.site.id), state.now()).await;
    let notice = match removed {
        Ok(()) => Notice::from(
            "It is gone from here. Where it was stolen, delete its key at Google too: it is good there until then.",
        ),
        Err(AccountError::NotFound) => {
            Notice::bad("This app has no service account of its own.".to_owned())
        }
        Err(error) => return Err(ApiError::internal(&error)),
    };
    access.back_to("/push", notice).await
}

#[derive(Deserialize)]
pub(super) struct Tested {
    #[serde(default)]
    whom: String,
    device: Option<Uuid>,
}

pub(super) async fn test(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(wanted): Fields<Tested>,
) -> ApiResult<Response> {
    let mut trial = Trial::of((&state.db, state.now()), &access.site, &wanted.whom).await?;
    let phone = wanted.device.and_then(|id| trial.phone(id));
    let Some(phone) = phone else {
        return show(
            &state,
            &access,
            (None, StatusCode::UNPROCESSABLE_ENTITY),
            trial,
        )
        .await;
    };
    // Whoever waits for a push service that does not answer holds a request open here.
    limit::check(&state, Rule::Other, format!("push {}", access.site.id)).await?;
    let outgoing = Outgoing::new(&state.settings.outgoing);
    let means = Means::of(&state, &outgoing);
    let tried = push::try_out(&means, &Fcm::default(), &access.site, &phone.device).await?;
    phone.tried = Some(tried);
    show(&state, &access, (None, StatusCode::OK), trial).await
}
