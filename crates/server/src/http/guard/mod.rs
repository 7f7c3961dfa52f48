//! Who may do what, as extractors: a handler that takes one of these cannot run without the row it
//! is allowed to touch.

mod phone;
mod site;
mod visitor;

pub use phone::{DeviceProof, KeyProof, PhoneSocket};
pub use site::{EnrolToken, PageToken, RedeemToken, SignOnToken, record_refused};
pub use visitor::Visitor;
