//! `client/delete`, and `DELETE /client` for the person.

mod error;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    flow::{self, Done},
    receipt::{By, Erased},
};
use crate::{
    face,
    http::{
        error::Failure,
        extract::{Json, Replied, Reply, reply},
        guard::{DeviceProof, EnrolToken},
    },
    platform::{clock::Moment, state::Shared},
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(delete))
        .routes(routes!(delete_own))
}

#[derive(Deserialize, ToSchema)]
struct Delete {
    /// Id of the client to erase, a UUID.
    id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct Deleted {
    client_id: Uuid,
    erased: Erased,
    /// A JSON Web Signature over what was erased; its key is in `/.well-known/jwks.json`. Keep it: it is given
    /// this once.
    receipt: String,
}

impl From<Done> for Deleted {
    fn from(done: Done) -> Self {
        Self {
            client_id: done.receipt.sub,
            erased: done.receipt.erased,
            receipt: done.signed,
        }
    }
}

/// Erase a client: face, phones, attempts, name and address
#[utoipa::path(
    post, path = "/client/delete", tag = "client", security(("site_token" = [])),
    request_body = Delete,
    responses(
        (status = 200, body = Reply<Deleted>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn delete(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Delete>,
) -> Replied<Deleted> {
    let done = flow::erase(&state, &site, body.id, By::Site).await?;
    Ok(reply(done.into()))
}

/// Erase everything that this site knows of the person who holds this phone
#[utoipa::path(
    delete, path = "/client", tag = "phone",
    security(("device_token" = [], "device_proof" = [])),
    responses(
        (status = 200, body = Reply<Deleted>),
        (status = 403, body = Failure, description = "1010: a face is enrolled and was never matched on this phone"),
        (status = 404, body = Failure, description = "1007 where it is erased already"),
    )
)]
async fn delete_own(State(state): State<Shared>, proven: DeviceProof) -> Replied<Deleted> {
    let client_id = proven.device.client_id;
    // A face of whatever pack: one that must be enrolled again is the person's all the same.
    let since = Moment::UNIX_EPOCH;
    if face::is_enrolled_since(&state.db, proven.site.id, client_id, since).await? {
        proven.only_trusted()?;
    }
    let done = flow::erase(&state, &proven.site, client_id, By::Client).await?;
    Ok(reply(done.into()))
}
