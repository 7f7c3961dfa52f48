//! A phone as a program: for integrators without an app, the README, and the tests. It talks the
//! real phone routes with a real key; the server cannot tell it from an app.

mod album;
mod call;
mod capture;
mod clock;
mod error;
mod key;
mod link;
mod pairing;
mod phone;

pub use album::{Album, MOST, MOST_OF_A_STEP};
pub use clock::{Clock, Moment, SystemClock};
pub use error::PhoneError;
pub use key::{Key, KeyError, Request, content_digest};
pub use pairing::{FileError, Pairing};
pub use phone::Phone;
