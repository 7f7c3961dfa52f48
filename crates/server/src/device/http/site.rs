//! `client/confirm_device` and `client/revoke_device`: what a site's backend decides about phones, after its
//! own proof of the person.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    client,
    device::flow::{self, By},
    http::{
        error::{ApiError, Code, Failure},
        extract::{Json, Replied, Reply, reply},
        guard::EnrolToken,
    },
    platform::state::Shared,
};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(confirm_device))
        .routes(routes!(revoke_device))
}

#[derive(Deserialize, ToSchema)]
struct Which {
    /// Id of the client, a UUID.
    id: Uuid,
    /// Which of their phones.
    device_id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct Told {
    client_id: Uuid,
    device_id: Uuid,
}

impl Which {
    fn told(self, is_there: bool) -> Replied<Told> {
        if is_there {
            Ok(reply(Told {
                client_id: self.id,
                device_id: self.device_id,
            }))
        } else {
            Err(ApiError::new(Code::ClientNotFound, "no such device"))
        }
    }
}

/// Accept a phone as the client's, where no other phone of theirs can
#[utoipa::path(
    post, path = "/client/confirm_device", tag = "client", security(("site_token" = [])),
    request_body = Which,
    responses(
        (status = 200, body = Reply<Told>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn confirm_device(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Which>,
) -> Replied<Told> {
    let client = client::find(&state.db, &site, body.id).await?;
    let done = flow::confirm(&state, &site, client.id, body.device_id, By::Site).await?;
    body.told(done)
}

/// Unpair a client's phone
#[utoipa::path(
    post, path = "/client/revoke_device", tag = "client", security(("site_token" = [])),
    request_body = Which,
    responses(
        (status = 200, body = Reply<Told>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn revoke_device(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Which>,
) -> Replied<Told> {
    let client = client::find(&state.db, &site, body.id).await?;
    let done = flow::unpair(&state, &site, client.id, body.device_id, By::Site).await?;
    body.told(done)
}
