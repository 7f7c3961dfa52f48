//! Files that a browser is sent while they are read.

use axum::{
    body::Body,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::guard::Access;
use crate::{
    audit::{Action, Entry},
    http::error::ApiResult,
    platform::{
        export::{Export, Format},
        state::Shared,
    },
};

const fn kind(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Ndjson => "application/x-ndjson",
    }
}

const fn ending(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
    }
}

/// Sends a file of a site, and records that it left.
///
/// # Errors
/// When the database fails before the first byte. Later the file is cut off, so that it is noticed.
pub async fn download<E: Export>(
    state: Shared,
    access: &Access,
    rest: E,
    format: Format,
) -> ApiResult<Response> {
    download_of(state, access.site.id, rest, format).await
}

/// The same of whatever has a log of this id.
///
/// # Errors
/// As [`download`].
pub async fn download_of<E: Export>(
    state: Shared,
    log: Uuid,
    rest: E,
    format: Format,
) -> ApiResult<Response> {
    let now = state.now();
    Entry::new(log, Action::DataExported)
        .detail(E::NAME)
        .record_alone(&state.db, &state.keys, now)
        .await?;
    let name = format!(
        "attachment; filename=\"{}-{}.{}\"",
        E::NAME.replace(' ', "-"),
        now.format("%Y-%m-%d"),
        ending(format)
    );
    let first = stream::iter([Ok(Bytes::from(E::head(format)))]);
    let lines = stream::unfold(Some(rest), move |rest| {
        let state = state.clone();
        async move {
            let mut rest = rest?;
            match rest.next(&state.db, now, format).await {
                Ok(None) => None,
                Ok(Some(text)) => Some((Ok(Bytes::from(text)), Some(rest))),
                Err(error) => {
                    tracing::error!(%error, "an export was cut off");
                    Some((Err(std::io::Error::other("the database failed")), None))
                }
            }
        }
    });
    let headers: [(HeaderName, String); 2] = [
        (CONTENT_TYPE, kind(format).to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(first.chain(lines))).into_response())
}
