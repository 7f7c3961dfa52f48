//! Devices: a client's paired phones, each with a key of its own and a way to be pushed to.

mod flow;
pub mod http;
mod model;
pub mod pages;
mod proof;
mod retention;
mod store;

pub use flow::{recognise, spend, unpair};
pub use model::{Device, Platform, Push, Without};
pub use proof::{Call, Proof, ProofError};
pub use retention::forget;
pub use store::{
    erase, forget_proofs, give_challenge, ids, pushable, reread, take_challenge,
    used_right_to_replace, was_paired,
};
