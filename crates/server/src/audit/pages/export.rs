//! The log as a file.

use async_trait::async_trait;
use axum::{extract::State, response::Response};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use crate::{
    audit::{Exported, lines_after},
    http::error::ApiResult,
    pages::dashboard::{Access, Viewer, download::download},
    platform::{
        clock::Moment,
        export::{Export, Format},
        state::Shared,
    },
};

/// Lines read at a time.
const BATCH: u64 = 1000;

pub(super) async fn csv(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access, Format::Csv).await
}

pub(super) async fn ndjson(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access, Format::Ndjson).await
}

async fn export(
    State(state): State<Shared>,
    access: Access,
    format: Format,
) -> ApiResult<Response> {
    let lines = Lines {
        site_id: access.site.id,
        after: 0,
    };
    download(state, &access, lines, format).await
}

struct Lines {
    site_id: Uuid,
    /// The last line that was sent.
    after: i64,
}

#[async_trait]
impl Export for Lines {
    const NAME: &'static str = "audit log";
    const CELLS: &'static str = Exported::NAMES;

    async fn next(
        &mut self,
        db: &DatabaseConnection,
        _now: Moment,
        format: Format,
    ) -> Result<Option<String>, DbErr> {
        let lines = lines_after(db, self.site_id, self.after, BATCH).await?;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        self.after = last.seq;
        let text = lines.iter().map(|line| {
            let line = Exported::of(line);
            match format {
                Format::Csv => format!("{}\r\n", line.csv()),
                Format::Ndjson => {
                    format!("{}\n", serde_json::to_string(&line).unwrap_or_default())
                }
            }
        });
        Ok(Some(text.collect()))
    }
}
