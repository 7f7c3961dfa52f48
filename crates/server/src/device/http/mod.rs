//! `device/register`, `device/push`, `device`, `device/{id}` and `device/{id}/confirm`.

mod error;
mod site;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    flow::{self, By, Decision, Pairing},
    model::{Platform, Push, Without},
    standing::Standing,
    store,
};
use crate::{
    enrolment::{self, EnrolmentError},
    face,
    http::{
        error::{ApiError, Code, Failure},
        extract::{PathId, Replied, Reply, parse_json, reply},
        guard::{DeviceProof, KeyProof},
    },
    platform::{
        clock::Moment,
        config::Settings,
        outgoing::Outgoing,
        state::{Shared, State as AppState},
    },
    push,
    site::Liveness,
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(set_push))
        .routes(routes!(own))
        .routes(routes!(confirm))
        .routes(routes!(unpair))
        .merge(site::router())
}

#[derive(Deserialize, ToSchema)]
struct Register {
    enrollment_token: String,
    /// What the person calls the phone.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    platform: Platform,
    push: Push,
    /// Actions of a challenge that the person cannot do; others are asked for instead, on this phone
    /// from now on. They must leave a turn of the head, and a blink or an open mouth.
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct Registered {
    device_id: Uuid,
    client_id: Uuid,
    device_token: String,
    /// Seconds until the device token ends.
    expires_in: u32,
    site: SiteName,
    consent: Consent,
    liveness: Liveness,
    face_enrolled: bool,
    /// `waiting` where another phone of the person, or the site, must confirm this one first.
    standing: Standing,
    /// The key that a browser subscribes for (`applicationServerKey`), base64url.
    web_push_key: String,
}

#[derive(Serialize, ToSchema)]
struct SiteName {
    name: String,
    domain: String,
}

/// What the person is asked to agree to before the first photo.
#[derive(Serialize, ToSchema)]
struct Consent {
    version: String,
    text: String,
    required: bool,
}

impl Consent {
    fn of(settings: &Settings) -> Self {
        let enrolment = &settings.enrolment;
        Self {
            version: enrolment.consent_version.clone(),
            text: enrolment.consent_text.clone(),
            required: enrolment.consent_required,
        }
    }
}

/// Refuses a push address that cannot be one, or that this server must not reach; notes the key that it was
/// subscribed for.
async fn check_push(state: &AppState, given: &mut Push) -> Result<(), ApiError> {
    let wrong = |reason: String| ApiError::invalid("push", reason);
    given.check().map_err(|reason| wrong(reason.to_owned()))?;
    if let Some(url) = given.endpoint() {
        Outgoing::new(&state.settings.outgoing)
            .check(&url)
            .map_err(|refused| wrong(format!("the endpoint {refused}")))?;
    }
    if let Push::WebPush { key, .. } = given {
        match key {
            None => *key = Some(web_push_key(state).await?),
            Some(key) => {
                let known = push::knows_key(state, key).await;
                if !known.map_err(|error| ApiError::internal(&error))? {
                    return Err(wrong("the key is none of this server's".into()));
                }
            }
        }
    }
    Ok(())
}

/// Pair this phone; its key is the proof's
///
/// A phone that heard no answer sends the same again, by the same key, while the code lives: it is given the same
/// pairing.
#[utoipa::path(
    post, path = "/device/register", tag = "phone", security(("device_proof" = [])),
    request_body = Register,
    responses(
        (status = 200, body = Reply<Registered>),
        (status = 410, body = Failure, description = "1051"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn register(State(state): State<Shared>, proven: KeyProof) -> Replied<Registered> {
    let mut body: Register = parse_json(&proven.body)?;
    let name = body.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid("name", "must have 1 to 100 characters"));
    }
    check_push(&state, &mut body.push).await?;
    face::check_without(&body.without)?;
    let pairing = Pairing {
        name: name.to_owned(),
        platform: body.platform,
        push: body.push,
        thumbprint: proven.thumbprint,
        without: Without(body.without),
    };
    let paired = flow::register(&state, &body.enrollment_token, pairing).await;
    if matches!(paired, Err(EnrolmentError::Invalid)) {
        enrolment::record_refused(&state, &body.enrollment_token).await?;
    }
    let paired = paired?;
    Ok(reply(Registered {
        device_id: paired.device_id,
        client_id: paired.client_id,
        device_token: paired.token.reveal().to_owned(),
        expires_in: state.settings.device.token_lifetime,
        site: SiteName {
            name: paired.site.name,
            domain: paired.site.domain,
        },
        consent: Consent::of(&state.settings),
        liveness: paired.site.settings.liveness,
        face_enrolled: face::is_enrolled(&state, paired.client_id).await?,
        standing: paired.standing,
        web_push_key: web_push_key(&state).await?,
    }))
}

#[derive(Serialize, ToSchema)]
struct Own {
    /// The person's paired phones, the newest first; a phone that is not trusted yet is told of itself alone.
    devices: Vec<Paired>,
    /// False also where the face was made by another face pack: then enrol it again.
    face_enrolled: bool,
    /// To be agreed to when enrolling.
    consent: Consent,
    liveness: Liveness,
    /// How this phone is woken: `fcm`, `web_push` or `none`.
    push: &'static str,
    /// The key that a browser subscribes for (`applicationServerKey`), base64url.
    web_push_key: String,
}

/// One of the person's phones.
#[derive(Serialize, ToSchema)]
struct Paired {
    device_id: Uuid,
    name: String,
    platform: Platform,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Moment,
    /// Whether it is the phone that asks.
    this: bool,
    /// `waiting` until a trusted phone or the site confirms it, `on_trial` until the person's face is matched
    /// on it.
    standing: Standing,
}

/// The phones of this phone's owner on this site, and whether a face is enrolled
#[utoipa::path(
    get, path = "/device", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    responses(
        (status = 200, body = Reply<Own>),
    )
)]
async fn own(State(state): State<Shared>, proven: DeviceProof) -> Replied<Own> {
    let this = &proven.device;
    let devices = store::paired(&state.db, this.site_id, this.client_id, state.now()).await?;
    let standings: Vec<_> = devices
        .iter()
        .map(|device| Standing::among(device, &devices))
        .collect();
    Ok(reply(Own {
        devices: devices
            .into_iter()
            .zip(standings)
            .filter(|(device, _)| this.is_trusted() || device.id == this.id)
            .map(|(device, standing)| Paired {
                standing,
                this: device.id == this.id,
                device_id: device.id,
                name: device.name,
                platform: device.platform,
                created_at: device.created_at,
                last_seen_at: device.last_seen_at,
            })
            .collect(),
        face_enrolled: face::is_enrolled(&state, this.client_id).await?,
        consent: Consent::of(&state.settings),
        liveness: proven.site.settings.liveness,
        push: this.push.kind(),
        web_push_key: web_push_key(&state).await?,
    }))
}

async fn web_push_key(state: &AppState) -> Result<String, ApiError> {
    push::public_key(state)
        .await
        .map_err(|error| ApiError::internal(&error))
}

#[derive(Deserialize, ToSchema)]
struct SetPush {
    push: Push,
}

/// Nothing more to say.
#[derive(Serialize, ToSchema)]
struct Done {}

/// Tell where this phone can be pushed to from now on
#[utoipa::path(
    post, path = "/device/push", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body = SetPush,
    responses(
        (status = 200, body = Reply<Done>),
    )
)]
async fn set_push(State(state): State<Shared>, proven: DeviceProof) -> Replied<Done> {
    let mut body: SetPush = parse_json(&proven.body)?;
    check_push(&state, &mut body.push).await?;
    flow::set_push(&state, &proven.device, body.push).await?;
    Ok(reply(Done {}))
}

fn found(is_there: bool) -> Replied<Done> {
    if is_there {
        Ok(reply(Done {}))
    } else {
        Err(ApiError::new(Code::ClientNotFound, "no such device"))
    }
}

/// Accept another phone of the person as theirs
#[utoipa::path(
    post, path = "/device/{id}/confirm", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    params(("id" = Uuid, Path, description = "the other phone's `device_id`")),
    responses(
        (status = 200, body = Reply<Done>),
        (status = 403, body = Failure, description = "1010: a phone that is not trusted itself"),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn confirm(
    State(state): State<Shared>,
    PathId(id): PathId,
    proven: DeviceProof,
) -> Replied<Done> {
    let this = &proven.device;
    proven.only_trusted()?;
    let (decision, by) = (Decision::Confirm, By::Phone(this));
    found(flow::decide(&state, &proven.site, this.client_id, id, decision, by).await?)
}

/// Unpair one of the person's phones, this one or, from a trusted one, another
#[utoipa::path(
    delete, path = "/device/{id}", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    params(("id" = Uuid, Path, description = "the phone's `device_id`")),
    responses(
        (status = 200, body = Reply<Done>),
        (status = 403, body = Failure, description = "1010: another phone, from one that is not trusted"),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn unpair(
    State(state): State<Shared>,
    PathId(id): PathId,
    proven: DeviceProof,
) -> Replied<Done> {
    let this = &proven.device;
    if id != this.id {
        proven.only_trusted()?;
    }
    let (decision, by) = (Decision::Unpair, By::Phone(this));
    found(flow::decide(&state, &proven.site, this.client_id, id, decision, by).await?)
}
