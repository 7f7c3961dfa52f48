//! A phone as a program: for integrators without an app, the README, and the tests. It talks the
//! real phone routes with a real key; the server cannot tell it from an app.

mod api;
mod error;
mod file;
mod key;

pub use api::{Phone, Scanned};
pub use error::PhoneError;
pub use file::{FileError, Memory};
pub use key::{Key, Request, content_digest};
