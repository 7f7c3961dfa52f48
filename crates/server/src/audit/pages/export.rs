//! The log as a file, read while it is sent.

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::{
    audit::{Action, Entry, Exported, lines_after},
    http::error::ApiResult,
    pages::dashboard::{Access, Viewer},
    platform::{db, state::Shared},
};

/// Lines read at a time.
const BATCH: u64 = 1000;

pub(super) async fn csv(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access, true).await
}

pub(super) async fn ndjson(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access, false).await
}

/// What is still to be sent.
struct Rest {
    state: Shared,
    site_id: Uuid,
    as_csv: bool,
    after: i64,
    is_over: bool,
}

async fn export(State(state): State<Shared>, access: Access, as_csv: bool) -> ApiResult<Response> {
    let now = state.now();
    let transaction = db::begin(&state.db).await?;
    Entry::new(access.site.id, Action::DataExported)
        .detail("audit log")
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let (kind, ending, first) = match as_csv {
        true => (
            "text/csv; charset=utf-8",
            "csv",
            format!("{}\r\n", Exported::NAMES),
        ),
        false => ("application/x-ndjson", "ndjson", String::new()),
    };
    let day = now.format("%Y-%m-%d");
    let name = format!("attachment; filename=\"audit-{day}.{ending}\"");
    let rest = Rest {
        state,
        site_id: access.site.id,
        as_csv,
        after: 0,
        is_over: false,
    };
    let first = stream::iter([Ok(Bytes::from(first))]);
    let body = first.chain(stream::unfold(rest, next));
    let headers: [(HeaderName, String); 2] =
        [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The next batch. A database that fails in the middle ends the file, cut off so that it is noticed.
async fn next(mut rest: Rest) -> Option<(Result<Bytes, std::io::Error>, Rest)> {
    if rest.is_over {
        return None;
    }
    let lines = match lines_after(&rest.state.db, rest.site_id, rest.after, BATCH).await {
        Ok(lines) => lines,
        Err(error) => {
            tracing::error!(%error, "an export was cut off");
            rest.is_over = true;
            return Some((Err(std::io::Error::other("the database failed")), rest));
        }
    };
    rest.after = lines.last().map_or(rest.after, |line| line.seq);
    rest.is_over = (lines.len() as u64) < BATCH;
    let text = lines.iter().map(|line| {
        let line = Exported::of(line);
        match rest.as_csv {
            true => format!("{}\r\n", line.csv()),
            false => format!("{}\n", serde_json::to_string(&line).unwrap_or_default()),
        }
    });
    let text: String = text.collect();
    Some((Ok(Bytes::from(text)), rest))
}
