//! Browsers' sessions with the pages, kept in the database so that every server knows them and an
//! owner's sign-out ends them everywhere.

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod model;
mod of_account;
mod store;

pub use self::{
    model::SignedIn,
    of_account::{Kept, end, end_all, kept, name_of},
    store::{Sessions, bound_lives, forget, watching},
};
