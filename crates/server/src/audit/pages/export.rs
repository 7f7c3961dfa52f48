//! The log as a file.

use async_trait::async_trait;
use axum::{extract::State, response::Response};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use crate::{
    audit::{Exported, INSTALLATION, lines_after},
    http::error::ApiResult,
    pages::dashboard::{Administrator, Viewer, download::download_of},
    platform::{
        clock::Moment,
        export::{Export, Format},
        state::Shared,
    },
};

/// Lines read at a time.
const BATCH: u64 = 1000;

pub(super) async fn csv(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access.site.id, Format::Csv).await
}

pub(super) async fn ndjson(state: State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    export(state, access.site.id, Format::Ndjson).await
}

/// The installation's own.
pub(super) async fn own_csv(state: State<Shared>, _: Administrator) -> ApiResult<Response> {
    export(state, INSTALLATION, Format::Csv).await
}

/// The installation's own.
pub(super) async fn own_ndjson(state: State<Shared>, _: Administrator) -> ApiResult<Response> {
    export(state, INSTALLATION, Format::Ndjson).await
}

async fn export(State(state): State<Shared>, site_id: Uuid, format: Format) -> ApiResult<Response> {
    let lines = Lines { site_id, after: 0 };
    download_of(state, site_id, lines, format).await
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
