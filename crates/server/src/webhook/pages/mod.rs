//! The dashboard's pages about an app's webhooks: the list, a new one, and what one was told.
//!
//! Owners alone see them: the path of an endpoint's address may be as good as a password.

mod list;
mod one;

use axum::http::StatusCode;

use crate::{
    http::error::{ApiError, ApiResult},
    pages::dashboard::{Access, Ids, Need, Routes},
    platform::state::State,
    webhook::{self, Webhook, WebhookError},
};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    const ALL: &str = "/dashboard/apps/{site}/webhooks";
    const ONE: &str = "/dashboard/apps/{site}/webhooks/{webhook}";
    Routes::new()
        .get(Need::Owner, ALL, list::page)
        .post(Need::Owner, ALL, list::add)
        .get(Need::Owner, ONE, one::page)
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/webhooks/{webhook}/test",
            one::test,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/webhooks/{webhook}/replay",
            one::replay,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/webhooks/{webhook}/rotate",
            one::rotate,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/webhooks/{webhook}/switch",
            one::switch,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/webhooks/{webhook}/remove",
            one::remove,
        )
}

/// The webhook in the path.
async fn named(state: &State, access: &Access, ids: &Ids) -> ApiResult<Webhook> {
    let id = ids.get("webhook")?;
    let found = webhook::find(&state.db, access.site.id, id).await?;
    Ok(found.ok_or(WebhookError::NotFound)?)
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound => {
                Self::invalid("webhook", "is unknown").with_status(StatusCode::NOT_FOUND)
            }
            WebhookError::Url(_) | WebhookError::NoUrl(_) => {
                Self::invalid("url", error.to_string())
            }
            WebhookError::Topic(_) => Self::invalid("events", error.to_string()),
            WebhookError::TooMany(_) | WebhookError::SentBefore => {
                Self::invalid("webhook", error.to_string())
            }
            WebhookError::Database(error) => error.into(),
            WebhookError::Key(_) | WebhookError::Sealed(_) => Self::internal(&error),
        }
    }
}
