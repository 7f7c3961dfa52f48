//! The routes of a sign-on: the site's half and the phone's half.

mod error;
mod phone;
mod site;

use utoipa_axum::router::OpenApiRouter;

use crate::platform::state::Shared;

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    site::router().merge(phone::router())
}
