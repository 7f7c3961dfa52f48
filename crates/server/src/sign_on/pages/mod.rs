//! The login tracker: who signs on, from where, and why not.

mod asked;
mod export;
mod failures;
mod glance;
mod opened;
mod row;
mod tracker;

pub use failures::Failures;

use crate::pages::dashboard::{Need, Routes};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get(Need::Viewer, "/dashboard/apps/{site}", tracker::page)
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/sign-ons/csv",
            export::csv,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/sign-ons/ndjson",
            export::ndjson,
        )
}
