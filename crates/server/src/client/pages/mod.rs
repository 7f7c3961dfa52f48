//! The people whom an app knows, and what can be done for them.

mod list;
mod one;

use crate::pages::dashboard::{Need, Routes};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    const ALL: &str = "/dashboard/apps/{site}/clients";
    Routes::new()
        .get(Need::Viewer, ALL, list::page)
        .post(Need::Operator, ALL, list::create)
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/clients/{client}",
            one::page,
        )
        .post(
            Need::Operator,
            "/dashboard/apps/{site}/clients/{client}/unlock",
            one::unlock,
        )
}
