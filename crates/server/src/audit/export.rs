//! Lines as they leave the program.

use serde::Serialize;
use uuid::Uuid;

use super::store::Line;
use crate::platform::csv::cell;

/// A line as it is exported.
#[derive(Debug, Serialize)]
pub struct Exported<'a> {
    site_id: Uuid,
    line: i64,
    created_at: String,
    action: &'a str,
    actor: &'a str,
    network: &'a str,
    client_id: Option<Uuid>,
    device_id: Option<Uuid>,
    sign_on_id: Option<Uuid>,
    detail: &'a str,
    id: Uuid,
    hash: String,
}

impl<'a> Exported<'a> {
    /// The names of the cells.
    pub const NAMES: &'static str = "site_id,line,created_at,action,actor,network,client_id,device_id,sign_on_id,detail,id,hash";

    /// A line, to be exported.
    #[must_use]
    pub fn of(line: &'a Line) -> Self {
        let content = &line.content;
        Self {
            site_id: content.site_id,
            line: line.seq,
            created_at: content
                .created_at
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            action: &content.action,
            actor: &content.actor,
            network: &content.network,
            client_id: content.client_id,
            device_id: content.device_id,
            sign_on_id: content.sign_on_id,
            detail: &content.detail,
            id: content.id,
            hash: line.hash.to_string(),
        }
    }

    /// As cells.
    #[must_use]
    pub fn csv(&self) -> String {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        [
            self.site_id.to_string(),
            self.line.to_string(),
            self.created_at.clone(),
            cell(self.action),
            cell(self.actor),
            cell(self.network),
            id(self.client_id),
            id(self.device_id),
            id(self.sign_on_id),
            cell(self.detail),
            self.id.to_string(),
            self.hash.clone(),
        ]
        .join(",")
    }
}
