//! Attempts as a file, as many as there are.

use axum::{extract::State, http::StatusCode, response::Response};

use super::asked::Asked;
use crate::{
    http::{
        error::{ApiError, ApiResult},
        extract::Query,
    },
    pages::dashboard::{Access, Viewer, download::download},
    platform::{export::Format, state::Shared},
    sign_on::Attempts,
};

/// Most people whose attempts one file takes, where it does not take everybody's.
const PEOPLE: u64 = 1000;

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
    let meant = asked.meant(&state, &access.site, state.now(), PEOPLE);
    let meant = meant.await?;
    if meant.is_cut {
        let sentence = format!(
            "More than {PEOPLE} people begin so. Write more of the address or name, or take out the attempts of everybody."
        );
        return Err(
            ApiError::invalid("q", "begins more addresses and names than one file takes")
                .with_status(StatusCode::UNPROCESSABLE_ENTITY)
                .with_user_message(sentence),
        );
    }
    let attempts = Attempts::of(access.site.clone(), meant.filter);
    download(state, &access, attempts, format).await
}
