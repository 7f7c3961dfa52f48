//! Sign-ons: push, verification token, challenge, verdict, session token.

mod flow;
pub mod http;
mod model;
mod store;
mod told;

pub use flow::{expire_due, find_watched, watch};
pub use model::{SignOn, SignOnError, State, Watched};
pub use told::Told;
