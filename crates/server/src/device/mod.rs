//! Devices: a client's paired phones, each with a key of its own and a way to be pushed to.

mod flow;
pub mod http;
mod known;
mod model;
pub mod pages;
mod proof;
mod retention;
mod standing;
mod store;

pub use flow::{recognise, spend, tell};
pub use known::find_all;
pub use model::{Device, Platform, Push, Subscription, SubscriptionKeys, Without};
pub use proof::{Call, Proof, ProofError};
pub use retention::forget;
pub use standing::{Standing, note_match, pass, pushable, record_failure};
pub use store::{
    bound_locks, erase, find, forget_proofs, forget_push, give_challenge, ids, paired, reread,
    still_paired, subscribed_for, take_challenge, used_right_to_replace, was_paired, woken_at,
    woken_by,
};
