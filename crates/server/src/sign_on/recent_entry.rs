//! What a phone shows of a sign-on that is over.

use sea_orm::ActiveEnum;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{inbox_entry::known, model::SignOn};
use crate::platform::clock::Moment;

/// One entry of the list in which the person finds what was not them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecentEntry {
    sign_on_id: Uuid,
    /// How it ended: `verified`, `failed`, `denied`, `expired` or `cancelled` (taken back by the site).
    #[schema(example = "verified")]
    verdict: String,
    browser: Option<String>,
    os: Option<String>,
    place: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Moment,
    /// The phone that answered, if one did.
    device_id: Option<Uuid>,
}

impl RecentEntry {
    pub(super) fn of(row: SignOn) -> Self {
        Self {
            sign_on_id: row.id,
            verdict: row.state.to_value(),
            browser: known(row.browser),
            os: known(row.os),
            place: known(row.place),
            requested_at: row.created_at,
            device_id: row.device_id,
        }
    }
}
