//! `client/qrcode`.

mod error;

use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{EnrolmentError, FlowType, code};
use crate::{
    client,
    http::{
        error::Failure,
        extract::{self, Json, Replied, Reply, reply},
        guard::EnrolToken,
    },
    platform::{qr, state::Shared},
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(qrcode))
}

#[derive(Deserialize, ToSchema)]
struct Ask {
    /// Id of the client to pair, a UUID.
    #[serde(deserialize_with = "extract::any_id")]
    id: Uuid,
    /// `login` where it is left out.
    flow_type: Option<FlowType>,
    /// The old name of `flow_type`, which is taken where both are there.
    action: Option<FlowType>,
}

#[derive(Serialize, ToSchema)]
struct Code {
    /// A PNG, without a `data:` prefix.
    qrcode_base64: String,
    /// What the code says: the phone page, and behind the `#` the enrolment token.
    enrollment_url: String,
    /// Seconds until the code ends.
    #[schema(example = 600)]
    expires_in: u32,
}

/// A QR code that pairs a phone with a client
#[utoipa::path(
    post, path = "/client/qrcode", tag = "client", security(("site_token" = [])),
    request_body = Ask,
    responses(
        (status = 200, body = Reply<Code>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn qrcode(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Ask>,
) -> Replied<Code> {
    let client = client::find(&state.db, &site, body.id).await?;
    let flow_type = body.flow_type.or(body.action).unwrap_or(FlowType::Login);
    let url = code::offer(&state, &client, flow_type).await?;
    Ok(reply(Code {
        qrcode_base64: STANDARD.encode(qr::png(&url).map_err(EnrolmentError::from)?),
        enrollment_url: url,
        expires_in: state.settings.enrolment.lifetime,
    }))
}
