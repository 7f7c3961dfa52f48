//! `device/challenge`, `device/facial` and `client/upload_facial`.

mod error;

use axum::extract::{Request, State};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub use self::error::with_advice;
use super::{
    challenge::{Challenge, Frame, MOST_FRAMES, Photo},
    flow::{self, Enrolling},
    model::FaceError,
};
use crate::{
    client,
    http::{
        error::{ApiError, ApiResult, Code, Failure},
        extract::{self, Form, PHOTO_LIMIT, Replied, Reply, parse_json, reply},
        guard::{DeviceProof, EnrolToken},
    },
    limit::{self, Rule},
    platform::{
        shares::Holder,
        state::{Shared, State as AppState},
    },
    site::Site,
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(challenge))
        .routes(routes!(facial))
        .routes(routes!(upload_facial))
}

/// Nothing; unknown members are ignored.
#[derive(Deserialize, ToSchema)]
struct Wanted {
    #[serde(default)]
    #[schema(ignore)]
    without: Option<IgnoredAny>,
}

/// The challenge for enrolling a face: the same until it is answered or over
#[utoipa::path(
    post, path = "/device/challenge", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body = Wanted,
    responses(
        (status = 200, body = Reply<Challenge>),
        (status = 403, body = Failure, description = "1016, 1017"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn challenge(State(state): State<Shared>, proven: DeviceProof) -> Replied<Challenge> {
    let wanted: Wanted = parse_json(&proven.body)?;
    not_chosen_here(wanted.without.is_some())?;
    let subject = format!("challenge {}", proven.device.id);
    limit::check(&state, Rule::Other, subject).await?;
    Ok(reply(
        flow::ask(&state, &proven.site, &proven.device).await?,
    ))
}

/// What a person cannot do is no part of asking for a challenge: who could choose it there could leave
/// themselves the easiest.
///
/// # Errors
/// 1006 where a request says it.
pub fn not_chosen_here(has_without: bool) -> ApiResult<()> {
    match has_without {
        true => Err(ApiError::invalid(
            "without",
            "is said once, when the phone is paired (device/register)",
        )),
        false => Ok(()),
    }
}

#[derive(Deserialize, ToSchema)]
struct Answer {
    nonce: String,
    consent_version: Option<String>,
    /// 1 to 12 frames, each a part of the form.
    frames: Vec<Frame>,
}

/// The form that `device/facial` takes: an answer and its photos.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form to integrators")]
struct FacialForm {
    answer: Answer,
    /// JPEG, PNG, WebP or HEIC; as many parts as frames.
    #[schema(value_type = String, format = Binary)]
    frame0: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
struct Uploaded {
    #[schema(example = "uploaded")]
    status: &'static str,
}

/// Enrol the face of the person who holds this phone
#[utoipa::path(
    post, path = "/device/facial", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    request_body(content = FacialForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Reply<Uploaded>),
        (status = 401, body = Failure, description = "1036, 1037 with details.hint where there is one"),
        (status = 403, body = Failure, description = "1010 where the site does not let this phone replace a face, 1016, 1017"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn facial(State(state): State<Shared>, proven: DeviceProof) -> Replied<Uploaded> {
    let subject = proven.device.id.to_string();
    limit::check(&state, Rule::Enrol, subject).await?;
    let form = proven.form()?;
    let answer: Answer = form.json("answer")?;
    let sent = Enrolling {
        nonce: answer.nonce,
        consent_version: answer.consent_version,
        photos: photos(&form, answer.frames)?,
    };
    let (site, device) = (&proven.site, &proven.device);
    flow::enrol(&state, site, device, sent)
        .await
        .map_err(|error| {
            let flow_type = device.flow_type.as_str();
            told(&state, site, device.client_id, flow_type, error)
        })?;
    Ok(reply(Uploaded { status: "uploaded" }))
}

/// The answer to an enrolment that failed. That its photos cannot be used, pages hear too; the rest they have
/// heard.
fn told(
    state: &AppState,
    site: &Site,
    client_id: Uuid,
    flow_type: &str,
    error: FaceError,
) -> ApiError {
    let error = ApiError::from(error);
    if error.code().is_of_photo() {
        flow::publish_refusal(state, site, client_id, flow_type, error.code());
    }
    error
}

/// The photos that an answer's frames name, in their order.
///
/// # Errors
/// 1006 when there are none or too many, or a named part is missing.
pub fn photos(form: &Form, frames: Vec<Frame>) -> ApiResult<Vec<Photo>> {
    if frames.is_empty() || frames.len() > MOST_FRAMES {
        return Err(ApiError::invalid(
            "answer.frames",
            format!("must be 1 to {MOST_FRAMES} frames"),
        ));
    }
    for (i, frame) in frames.iter().enumerate() {
        if frames[..i].iter().any(|other| other.part == frame.part) {
            return Err(ApiError::invalid("answer.frames", "name a part twice"));
        }
    }
    frames
        .into_iter()
        .map(|frame| {
            let bytes = form.bytes(&frame.part)?;
            Ok(Photo { bytes, frame })
        })
        .collect()
}

/// The form that `client/upload_facial` takes: a client and its photos.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form to integrators")]
struct UploadForm {
    id: Uuid,
    /// JPEG, PNG, WebP or HEIC, at most 12 MB.
    #[schema(value_type = String, format = Binary)]
    facial: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
struct UploadedByBackend {
    client_id: Uuid,
    #[schema(example = "uploaded")]
    status: &'static str,
}

/// Enrol a face that the site's backend vouches for
#[utoipa::path(
    post, path = "/client/upload_facial", tag = "client", security(("site_token" = [])),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Reply<UploadedByBackend>),
        (status = 403, body = Failure, description = "1010, also where the site does not allow it"),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn upload_facial(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    request: Request,
) -> Replied<UploadedByBackend> {
    if !site.settings.backend_enrolment {
        return Err(ApiError::new(
            Code::ScopeForbidden,
            "this site does not let its backend enrol faces (setting backend_enrolment)",
        ));
    }
    let limit = PHOTO_LIMIT + extract::JSON_LIMIT;
    let (parts, body) = request.into_parts();
    let holders = [Holder::Site(site.id)];
    let body = extract::upload(&state.uploads, &holders, &parts.headers, body, limit).await?;
    let form = Form::parse(&parts.headers, &body)?;
    let id = extract::id_in(&form.text("id")?);
    let client = client::find(&state.db, &site, id).await?;
    let photo = form.bytes("facial")?;
    flow::enrol_by_backend(&state, &site, &client, photo)
        .await
        .map_err(|error| told(&state, &site, client.id, "signup", error))?;
    Ok(reply(UploadedByBackend {
        client_id: client.id,
        status: "uploaded",
    }))
}
