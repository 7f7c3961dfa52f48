//! Attempts as a file, as many as there are.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::SecondsFormat;
use sea_orm::{DatabaseConnection, DbErr};
use serde_json::json;
use uuid::Uuid;

use super::{
    model::SignOn,
    tracker::{self, After, Filter, Reason, STATES},
};
use crate::{
    client,
    platform::{
        clock::Moment,
        csv::cell,
        export::{Export, Format},
    },
    site::Site,
};

/// Attempts read at a time.
const BATCH: u64 = 1000;

/// Attempts on a site, the newest first.
pub struct Attempts {
    site: Site,
    filter: Filter,
    /// The last one that was sent.
    after: Option<After>,
}

impl Attempts {
    /// Those that the filter lets through.
    pub(super) fn of(site: Site, filter: Filter) -> Self {
        Self {
            site,
            filter,
            after: None,
        }
    }

    /// All of a site.
    #[must_use]
    pub fn all(site: Site) -> Self {
        Self::of(site, Filter::default())
    }
}

#[async_trait]
impl Export for Attempts {
    const NAME: &'static str = "sign-ons";
    const CELLS: &'static str = "sign_on_id,client_id,email,verdict,reason,asked_at,ended_at,redeemed_at,browser,os,address,place,number,test";

    async fn next(
        &mut self,
        db: &DatabaseConnection,
        _now: Moment,
        format: Format,
    ) -> Result<Option<String>, DbErr> {
        let site = &self.site;
        let rows = tracker::batch(db, site.id, &self.filter, self.after, BATCH).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        self.after = Some(After::of(last));
        let clients = client::find_all(db, site, rows.iter().map(|row| row.client_id)).await?;
        let emails: HashMap<Uuid, String> = clients
            .into_iter()
            .map(|client| (client.id, client.email))
            .collect();
        let line = |row: &SignOn| line(format, row, emails.get(&row.client_id));
        Ok(Some(rows.iter().map(line).collect()))
    }
}

fn line(format: Format, row: &SignOn, email: Option<&String>) -> String {
    let at = |moment: Moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    let verdict = STATES.iter().find(|(state, _)| *state == row.state);
    let verdict = verdict.map_or("", |(_, word)| word);
    let reason = Reason::of(row.failure).map(Reason::word);
    let (ended, redeemed) = (row.decided_at.map(at), row.redeemed_at.map(at));
    match format {
        Format::Ndjson => {
            let line = json!({
                "sign_on_id": row.id, "client_id": row.client_id, "email": email, "verdict": verdict,
                "reason": reason, "asked_at": at(row.created_at), "ended_at": ended,
                "redeemed_at": redeemed, "browser": row.browser, "os": row.os, "address": row.ip, "place": row.place,
                "number": row.number.is_some(), "test": row.test_identity.is_some(),
            });
            format!("{line}\n")
        }
        Format::Csv => {
            let cells = [
                row.id.to_string(),
                row.client_id.to_string(),
                cell(email.map_or("", String::as_str)),
                verdict.to_owned(),
                reason.unwrap_or_default().to_owned(),
                at(row.created_at),
                ended.unwrap_or_default(),
                redeemed.unwrap_or_default(),
                cell(&row.browser),
                cell(&row.os),
                cell(&row.ip),
                cell(&row.place),
                row.number.is_some().to_string(),
                row.test_identity.is_some().to_string(),
            ];
            format!("{}\r\n", cells.join(","))
        }
    }
}
