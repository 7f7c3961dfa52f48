//! What a phone shows of a sign-on that waits for its person.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::SignOn;
use crate::{platform::clock::Moment, site::Site};

/// One entry of the phone's inbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct InboxEntry {
    sign_on_id: Uuid,
    site: SiteName,
    browser: Option<String>,
    os: Option<String>,
    place: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
    number: Option<Choices>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SiteName {
    name: String,
    domain: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Choices {
    /// All numbers there are, 0 to 99: the person types, or picks, the one that the page shows.
    #[schema(example = json!([0, 1, 2, 3]))]
    choices: Vec<i32>,
}

/// A text of the row, where there is one.
pub(super) fn known(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl InboxEntry {
    /// What to show of an attempt on this site.
    #[must_use]
    pub fn of(site: &Site, row: SignOn) -> Self {
        Self {
            sign_on_id: row.id,
            site: SiteName {
                name: site.name.clone(),
                domain: site.domain.clone(),
            },
            browser: known(row.browser),
            os: known(row.os),
            place: known(row.place),
            requested_at: row.created_at,
            expires_at: row.expires_at,
            number: row.number.map(|_| Choices {
                choices: row.choices.0,
            }),
        }
    }

    /// Id of the sign-on that waits.
    #[must_use]
    pub fn sign_on_id(&self) -> Uuid {
        self.sign_on_id
    }
}
