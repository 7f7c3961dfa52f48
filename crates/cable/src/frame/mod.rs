//! The wire: what clients send, what they are sent, and the names of the protocols.
//!
//! `actioncable-v1-json` as in Rails (`actioncable/lib/action_cable/connection/` and
//! `@rails/actioncable`), `actioncable-v1-ext-json` as in AnyCable's protocol document and
//! `@anycable/core`.

mod command;
#[cfg(any(fuzzing, test))]
mod fuzz;
mod outgoing;
mod protocol;

pub(crate) use command::{Command, HistoryRequest};
#[cfg(fuzzing)]
pub use fuzz::fuzz_frame;
pub(crate) use outgoing::{
    disconnect, message, ping, positioned, reject_subscription, reply, transmission, welcome,
    welcome_session,
};
pub use protocol::Protocol;
