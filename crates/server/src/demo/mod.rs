//! The demo relying site of `axiam serve --demo`: pages that do what a website and its backend do, and
//! show it. Its backend knows Axiam by the API alone.

pub mod pages;

use crate::platform::secret::Secret;

/// What the demo site's backend holds.
#[derive(Clone)]
pub struct Demo {
    /// The site's public key.
    pub api_key: String,
    /// Its secret key.
    pub secret_key: Secret,
    /// How this program is called as a phone, for the lines that are shown.
    pub phone: String,
}
