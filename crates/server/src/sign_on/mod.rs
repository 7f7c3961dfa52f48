//! Sign-ons: push, verification token, challenge, verdict, session token.

mod flow;
pub mod http;
mod model;
mod store;
mod told;
mod waiting;

pub use flow::{
    Untold, expire_due, find_watched, mark_told, named, open_for, told_since, untold, waiting,
    watch,
};
pub use model::{SignOn, SignOnError, State, Watched};
pub use store::bound_freezes;
pub use told::Told;
pub use waiting::Waiting;
