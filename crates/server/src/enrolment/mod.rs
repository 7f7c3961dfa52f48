//! Enrolments: the QR code that gives one phone the right to pair with one client.

mod code;
pub mod http;
mod model;
pub mod pages;
mod store;

pub use code::offer;
pub use model::{Enrolment, EnrolmentError, FlowType};
pub use store::{
    bound_lives, erase, forget, last_used, open_codes, record_refused, redeem, revoke, taken_up,
};
