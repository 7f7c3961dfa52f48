//! What people see in a browser, and what all pages share: the [`layout`] and its policy, the
//! [`error`] page, sessions ([`visit`]), bundled files ([`assets`]) and what the dashboard stands on ([`dashboard`]). A slice's own pages are in
//! its `pages`.

pub mod assets;
pub mod dashboard;
mod dev_mail;
pub mod error;
mod home;
pub mod layout;
pub mod visit;

use axum::{Json, Router, routing::get};

use crate::platform::state::{Shared, State};

/// Pages, what they are made of, and the contract that the API's routes describe. `slices` are the
/// slices' pages; `with_demo` says whether the demo site's are among them.
pub fn router(
    state: &State,
    contract: utoipa::openapi::OpenApi,
    slices: Router<Shared>,
    with_demo: bool,
) -> Router<Shared> {
    let pages = Router::new()
        .route(
            "/",
            get(async move |state| home::home(state, with_demo).await),
        )
        .route("/dev/mail", get(dev_mail::page))
        .merge(slices);
    visit::guarded(state, pages)
        .merge(assets::router())
        .route("/api/openapi.json", get(async move || Json(contract)))
}
