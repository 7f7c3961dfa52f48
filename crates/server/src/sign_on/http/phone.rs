//! What the phone asks: what waits, its challenge, the scan, and no.

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    face::{
        Challenge, Frame,
        http::{not_chosen_here, photos},
    },
    http::{
        error::{ApiError, Failure, overloaded},
        extract::{Query, Replied, Reply, parse_json, reply},
        guard::DeviceProof,
        request::ClientIp,
    },
    limit::{self, Rule},
    platform::{shares::Holder, state::Shared},
    push,
    sign_on::{
        InboxEntry,
        flow::{self, Scan},
        recent_entry::RecentEntry,
    },
};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(pending))
        .routes(routes!(recent))
        .routes(routes!(challenge))
        .routes(routes!(verify_token))
        .routes(routes!(deny))
        .routes(routes!(shown))
}

#[derive(Deserialize, IntoParams)]
struct Wait {
    /// Seconds to wait for a sign-on where there is none yet, at most 25.
    #[param(value_type = Option<u32>)]
    wait: Option<String>,
}

/// Longest wait, seconds: under the minute after which proxies give up.
const LONGEST_WAIT: u64 = 25;

#[derive(Serialize, ToSchema)]
struct Inbox {
    sign_ons: Vec<InboxEntry>,
}

/// Sign-ons that wait for this phone's person
#[utoipa::path(
    get, path = "/login/pending", tag = "phone", params(Wait),
    security(("device_token" = [], "device_proof" = [])),
    responses(
        (status = 200, body = Reply<Inbox>),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn pending(
    State(state): State<Shared>,
    Query(query): Query<Wait>,
    proven: DeviceProof,
) -> Replied<Inbox> {
    let wait = match query.wait.as_deref().map(str::parse::<u64>) {
        None => 0,
        Some(Ok(seconds)) => seconds.min(LONGEST_WAIT),
        Some(Err(_)) => return Err(ApiError::invalid("wait", "must be a number of seconds")),
    };
    let subject = format!("pending {}", proven.device.id);
    limit::check(&state, Rule::Other, subject).await?;
    let (site, phone) = (proven.site.id, proven.device.id);
    let holders = [Holder::Device(phone), Holder::Site(site)];
    let share = (wait > 0).then(|| state.polls.take(1, &holders).ok_or_else(overloaded));
    let _share = share.transpose()?;
    let wait = Duration::from_secs(wait);
    let open = flow::inbox(&state, &proven.device, wait).await?;
    let sign_ons = open
        .into_iter()
        .map(|row| InboxEntry::of(&proven.site, row))
        .collect();
    Ok(reply(Inbox { sign_ons }))
}

#[derive(Serialize, ToSchema)]
struct Recent {
    /// At most 20, the newest first.
    sign_ons: Vec<RecentEntry>,
}

/// Sign-ons of this phone's person that are over, so that they notice what was not them
#[utoipa::path(
    get, path = "/login/recent", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    responses(
        (status = 200, body = Reply<Recent>, description = "those that it answered itself while the phone is on trial, none while it waits to be confirmed"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn recent(State(state): State<Shared>, proven: DeviceProof) -> Replied<Recent> {
    let subject = format!("recent {}", proven.device.id);
    limit::check(&state, Rule::Other, subject).await?;
    let over = flow::recent(&state, &proven.device).await?;
    let sign_ons = over.into_iter().map(RecentEntry::of).collect();
    Ok(reply(Recent { sign_ons }))
}

#[derive(Deserialize, ToSchema)]
struct Take {
    sign_on_id: Uuid,
    #[serde(default)]
    #[schema(ignore)]
    without: Option<IgnoredAny>,
}

/// Take up a sign-on: a challenge to answer with photos, the same until it is answered or over
#[utoipa::path(
    post, path = "/login/challenge", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body = Take,
    responses(
        (status = 200, body = Reply<Challenge>),
        (status = 401, body = Failure, description = "1037 with details.attempts_left, when the last one was not answered in time and no try is left"),
        (status = 403, body = Failure, description = "1016, 1017"),
        (status = 404, body = Failure, description = "1032"),
        (status = 409, body = Failure, description = "1031"),
        (status = 410, body = Failure, description = "1030"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn challenge(State(state): State<Shared>, proven: DeviceProof) -> Replied<Challenge> {
    let body: Take = parse_json(&proven.body)?;
    not_chosen_here(body.without.is_some())?;
    let subject = format!("challenge {}", proven.device.id);
    limit::check(&state, Rule::Other, subject).await?;
    Ok(reply(
        flow::challenge(&state, &proven.site, &proven.device, body.sign_on_id).await?,
    ))
}

#[derive(Deserialize, ToSchema)]
struct Answer {
    sign_on_id: Uuid,
    nonce: String,
    /// The number that the page shows, where there were choices; a wrong one ends the sign-on.
    number: Option<i32>,
    /// 1 to 12 frames, each a part of the form.
    frames: Vec<Frame>,
}

/// The form that `login/verify_token` takes: an answer and its photos.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form to integrators")]
struct ScanForm {
    answer: Answer,
    /// JPEG, PNG, WebP or HEIC; as many parts as frames.
    #[schema(value_type = String, format = Binary)]
    frame0: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
struct Verified {
    #[schema(example = "verified")]
    status: &'static str,
}

/// Answer a challenge with photos
#[utoipa::path(
    post, path = "/login/verify_token", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body(content = ScanForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Reply<Verified>),
        (status = 401, body = Failure, description = "1036, 1037, 1042 with details.attempts_left, 1037 also with details.hint where there is one"),
        (status = 403, body = Failure, description = "1016, 1017"),
        (status = 404, body = Failure, description = "1008, 1032"),
        (status = 409, body = Failure, description = "1031"),
        (status = 410, body = Failure, description = "1030"),
        (status = 429, body = Failure, description = "1024, 1025"),
    )
)]
async fn verify_token(
    State(state): State<Shared>,
    caller: ClientIp,
    proven: DeviceProof,
) -> Replied<Verified> {
    limit::check(&state, Rule::VerifyByIp, caller.network()).await?;
    let form = proven.form()?;
    let answer: Answer = form.json("answer")?;
    let subject = format!("{} {}", proven.device.client_id, answer.sign_on_id);
    limit::check(&state, Rule::VerifyBySignOn, subject).await?;
    let scan = Scan {
        sign_on_id: answer.sign_on_id,
        nonce: answer.nonce,
        number: answer.number,
        photos: photos(&form, answer.frames)?,
    };
    flow::verify(&state, &proven.site, &proven.device, scan).await?;
    Ok(reply(Verified { status: "verified" }))
}

#[derive(Deserialize, ToSchema)]
struct Deny {
    sign_on_id: Uuid,
    /// "This was not me": freezes further pushes from that origin.
    #[serde(default)]
    report: bool,
}

#[derive(Serialize, ToSchema)]
struct Denied {
    #[schema(example = "denied")]
    status: &'static str,
}

/// Refuse a sign-on, and report it where the person did not ask for it
#[utoipa::path(
    post, path = "/login/deny", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body = Deny,
    responses(
        (status = 200, body = Reply<Denied>),
        (status = 404, body = Failure, description = "1032"),
        (status = 409, body = Failure, description = "1031"),
        (status = 410, body = Failure, description = "1030"),
    )
)]
async fn deny(State(state): State<Shared>, proven: DeviceProof) -> Replied<Denied> {
    let body: Deny = parse_json(&proven.body)?;
    flow::deny(
        &state,
        &proven.site,
        &proven.device,
        body.sign_on_id,
        body.report,
    )
    .await?;
    Ok(reply(Denied { status: "denied" }))
}

#[derive(Deserialize, ToSchema)]
struct Show {
    sign_on_id: Uuid,
    /// Whether the person opened it already.
    #[serde(default)]
    opened: bool,
}

#[derive(Serialize, ToSchema)]
struct Noted {}

/// A push of a sign-on was shown to the person, or they opened it: for the login tracker
#[utoipa::path(
    post, path = "/login/shown", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body = Show,
    responses(
        (status = 200, body = Reply<Noted>, description = "also where there is no such push"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn shown(State(state): State<Shared>, proven: DeviceProof) -> Replied<Noted> {
    let body: Show = parse_json(&proven.body)?;
    let subject = format!("shown {}", proven.device.id);
    limit::check(&state, Rule::Other, subject).await?;
    let (db, phone, now) = (&state.db, &proven.device, state.now());
    push::note_shown(db, phone, body.sign_on_id, now).await?;
    if body.opened {
        push::note_opened(db, phone, body.sign_on_id, now).await?;
    }
    Ok(reply(Noted {}))
}
