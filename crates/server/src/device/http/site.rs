//! `client/confirm_device` and `client/revoke_device`: what a site's backend decides about phones, after its
//! own proof of the person.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    client,
    device::flow::{self, By, Decision},
    http::{
        error::{ApiError, Code, Failure},
        extract::{Json, Replied, Reply, reply},
        guard::EnrolToken,
    },
    platform::state::{Shared, State as AppState},
    site::Site,
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
    async fn decide(self, state: &AppState, site: &Site, decision: Decision) -> Replied<Told> {
        let (client_id, device_id) = (self.id, self.device_id);
        client::find(&state.db, site, client_id).await?;
        if !flow::decide(state, site, client_id, device_id, decision, By::Site).await? {
            return Err(ApiError::new(Code::ClientNotFound, "no such device"));
        }
        Ok(reply(Told {
            client_id,
            device_id,
        }))
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
    body.decide(&state, &site, Decision::Confirm).await
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
    body.decide(&state, &site, Decision::Unpair).await
}
