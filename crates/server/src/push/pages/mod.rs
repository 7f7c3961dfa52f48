//! The dashboard's page about how an app's phones are woken, and whether that works.

mod page;
mod trial;

use crate::pages::dashboard::{Need, Routes};

/// The routes of this slice's page.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get(Need::Viewer, "/dashboard/apps/{site}/push", page::page)
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/push/account",
            page::bring,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/push/account/remove",
            page::remove,
        )
        .post(Need::Owner, "/dashboard/apps/{site}/push/test", page::test)
}
