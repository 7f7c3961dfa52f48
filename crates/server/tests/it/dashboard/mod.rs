//! The dashboard, as a browser meets it.

mod account;
mod apps;
mod clients;
mod routes;
mod tracker;
mod visitor;

pub(crate) use self::visitor::{Visitor, make_account, signed_in};
