//! Everybody whom a site knows, as a file.

use async_trait::async_trait;
use chrono::SecondsFormat;
use sea_orm::{DatabaseConnection, DbErr};
use serde_json::json;

use super::{
    model::Client,
    search::{Place, search},
};
use crate::{
    platform::{
        clock::Moment,
        csv::cell,
        export::{Export, Format},
    },
    site::Site,
};

/// People read at a time.
const BATCH: u64 = 1000;

/// Everybody whom a site knows, the newest first.
pub struct Everybody {
    site: Site,
    after: Option<Place>,
}

impl Everybody {
    /// The clients of this site.
    #[must_use]
    pub fn of(site: Site) -> Self {
        Self { site, after: None }
    }
}

#[async_trait]
impl Export for Everybody {
    const NAME: &'static str = "clients";
    const CELLS: &'static str = "client_id,email,full_name,known_since,failures,locked";

    async fn next(
        &mut self,
        db: &DatabaseConnection,
        now: Moment,
        format: Format,
    ) -> Result<Option<String>, DbErr> {
        let found = search(db, &self.site, "", self.after, BATCH).await?;
        let Some(last) = found.last() else {
            return Ok(None);
        };
        self.after = Some((last.created_at, last.id));
        let line = |client: &Client| line(format, client, client.pass(now).is_err());
        Ok(Some(found.iter().map(line).collect()))
    }
}

fn line(format: Format, client: &Client, is_locked: bool) -> String {
    let since = client
        .created_at
        .to_rfc3339_opts(SecondsFormat::Millis, true);
    match format {
        Format::Ndjson => {
            let line = json!({
                "client_id": client.id, "email": client.email, "full_name": client.full_name,
                "known_since": since, "failures": client.failures, "locked": is_locked,
            });
            format!("{line}\n")
        }
        Format::Csv => format!(
            "{},{},{},{since},{},{is_locked}\r\n",
            client.id,
            cell(&client.email),
            cell(&client.full_name),
            client.failures
        ),
    }
}
