//! Browsers' sessions with the pages, kept in the database so that every server knows them and an
//! owner's sign-out ends them everywhere.

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod model;
mod store;

pub use self::store::{Sessions, bound_lives, forget};
