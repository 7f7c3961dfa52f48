//! `client/create`.

mod error;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Email, FullName, store};
use crate::{
    http::{
        error::Failure,
        extract::{Json, Replied, Reply, reply},
        guard::SiteToken,
    },
    platform::state::Shared,
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create))
}

#[derive(Deserialize, ToSchema)]
struct Create {
    #[schema(value_type = String, format = "email", example = "ann@example.com")]
    email: Email,
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Ann Example")]
    full_name: FullName,
}

#[derive(Serialize, ToSchema)]
struct Created {
    client_id: Uuid,
    site_id: Uuid,
}

/// Make a person known to the site
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
    SiteToken(site): SiteToken,
    Json(body): Json<Create>,
) -> Replied<Created> {
    let client_id =
        store::create(&state.db, &site, &body.email, &body.full_name, state.now()).await?;
    Ok(reply(Created {
        client_id,
        site_id: site.id,
    }))
}
