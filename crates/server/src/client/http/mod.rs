//! `client/create`, `client/{id}` and `client/unlock`.

mod error;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{ClientError, Email, FullName, store};
use crate::{
    device::{self, Platform, Standing},
    face,
    http::{
        error::Failure,
        extract::{Json, PathId, Replied, Reply, reply},
        guard::EnrolToken,
    },
    platform::{clock::Moment, state::Shared},
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(read))
        .routes(routes!(unlock))
}

#[derive(Deserialize, ToSchema)]
struct Create {
    #[schema(value_type = String, format = "email", example = "ann@example.com")]
    email: Email,
    /// May be empty or left out.
    #[schema(value_type = Option<String>, max_length = 200, example = "Ann Example")]
    full_name: Option<FullName>,
}

#[derive(Serialize, ToSchema)]
struct Created {
    client_id: Uuid,
    site_id: Uuid,
}

/// Make a person known to the site; someone who never paired a phone is returned again
#[utoipa::path(
    post, path = "/client/create", tag = "client", security(("site_token" = [])),
    request_body = Create,
    responses(
        (status = 200, body = Reply<Created>),
        (status = 409, body = Failure, description = "1009, with data.client_id"),
    )
)]
async fn create(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Create>,
) -> Replied<Created> {
    let full_name = body.full_name.unwrap_or_default();
    let created = store::create(&state, &site, &body.email, &full_name, state.now()).await;
    let client_id = match created {
        // An integration that was interrupted before the phone was paired begins again.
        Err(ClientError::EmailTaken(id)) if !device::was_paired(&state.db, site.id, id).await? => {
            id
        }
        other => other?,
    };
    Ok(reply(Created {
        client_id,
        site_id: site.id,
    }))
}

/// What the site may know of a client.
#[derive(Serialize, ToSchema)]
struct Shown {
    client_id: Uuid,
    email: String,
    full_name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    /// False also where the face was made by another face pack.
    face_enrolled: bool,
    locked: Locked,
    /// The client's paired phones, the newest first.
    devices: Vec<Phone>,
}

#[derive(Serialize, ToSchema)]
struct Locked {
    /// Failures in a row.
    failures: i32,
    /// Null where the client is not locked for a time.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Moment>,
    /// `true` for a lock that only `client/unlock` ends.
    permanently: bool,
}

/// A phone that is paired with the client.
#[derive(Serialize, ToSchema)]
struct Phone {
    device_id: Uuid,
    name: String,
    platform: Platform,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Moment,
    /// `waiting` until `client/confirm_device` or a trusted phone says that it is the client's.
    standing: Standing,
}

/// Read a client: lock, face and phones
#[utoipa::path(
    get, path = "/client/{id}", tag = "client", security(("site_token" = [])),
    params(("id" = Uuid, Path, description = "the client's id")),
    responses(
        (status = 200, body = Reply<Shown>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn read(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    PathId(id): PathId,
) -> Replied<Shown> {
    let now = state.now();
    let client = store::find(&state.db, &site, id).await?;
    let devices = device::paired(&state.db, site.id, client.id, now).await?;
    Ok(reply(Shown {
        client_id: client.id,
        face_enrolled: face::is_enrolled(&state, client.id).await?,
        locked: Locked {
            failures: client.failures,
            until: client.locked_until.filter(|until| *until > now),
            permanently: client.locked_permanently,
        },
        devices: devices
            .iter()
            .map(|device| Phone {
                standing: Standing::among(device, &devices),
                device_id: device.id,
                name: device.name.clone(),
                platform: device.platform,
                created_at: device.created_at,
                last_seen_at: device.last_seen_at,
            })
            .collect(),
        email: client.email,
        full_name: client.full_name,
        created_at: client.created_at,
    }))
}

#[derive(Deserialize, ToSchema)]
struct Unlock {
    /// Id of the client, a UUID.
    id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct Unlocked {
    client_id: Uuid,
}

/// Let a locked client in again
#[utoipa::path(
    post, path = "/client/unlock", tag = "client", security(("site_token" = [])),
    request_body = Unlock,
    responses(
        (status = 200, body = Reply<Unlocked>),
        (status = 404, body = Failure, description = "1007"),
    )
)]
async fn unlock(
    State(state): State<Shared>,
    EnrolToken(site): EnrolToken,
    Json(body): Json<Unlock>,
) -> Replied<Unlocked> {
    store::unlock(&state, &site, body.id, state.now()).await?;
    Ok(reply(Unlocked { client_id: body.id }))
}
