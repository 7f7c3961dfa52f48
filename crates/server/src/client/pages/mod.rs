//! The people whom an app knows, and what can be done for them.

mod list;
mod many;
mod one;
mod pairing;

use crate::pages::dashboard::{Need, Routes};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    const ALL: &str = "/dashboard/apps/{site}/clients";
    const MANY: &str = "/dashboard/apps/{site}/clients/many";
    Routes::new()
        .get(Need::Viewer, ALL, list::page)
        .post(Need::Operator, ALL, list::create)
        .get(Need::Operator, MANY, many::page)
        .post(Need::Operator, MANY, many::import)
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/clients/csv",
            many::csv,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/clients/ndjson",
            many::ndjson,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/clients/{client}",
            one::page,
        )
        .get(
            Need::Operator,
            "/dashboard/apps/{site}/clients/{client}/pairing",
            pairing::page,
        )
        .post(
            Need::Operator,
            "/dashboard/apps/{site}/clients/{client}/unlock",
            one::unlock,
        )
}
