//! Attempts as a file, as many as there are.

use axum::{extract::State, response::Response};

use super::asked::Asked;
use crate::{
    http::{error::ApiResult, extract::Query},
    pages::dashboard::{Access, Viewer, download::download},
    platform::{export::Format, state::Shared},
    sign_on::Attempts,
};

pub(super) async fn csv(
    state: State<Shared>,
    Viewer(access): Viewer,
    asked: Query<Asked>,
) -> ApiResult<Response> {
    export(state, access, asked, Format::Csv).await
}

pub(super) async fn ndjson(
    state: State<Shared>,
    Viewer(access): Viewer,
    asked: Query<Asked>,
) -> ApiResult<Response> {
    export(state, access, asked, Format::Ndjson).await
}

async fn export(
    State(state): State<Shared>,
    access: Access,
    Query(asked): Query<Asked>,
    format: Format,
) -> ApiResult<Response> {
    let filter = asked.filter(&state, &access.site, state.now()).await?;
    let attempts = Attempts::of(access.site.clone(), filter);
    download(state, &access, attempts, format).await
}
