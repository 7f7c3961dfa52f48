//! How what lies in Redis is kept from those who only read Redis.

use std::fmt;
use std::sync::Arc;

/// Seals what a fan-out writes to Redis and opens it again, with a key that Redis does not have.
///
/// Messages, orders to disconnect and saved sessions are sealed; counters, epochs and times are
/// not. All processes of a cable need the same.
pub trait Seal: Send + Sync + 'static {
    /// Encrypts and authenticates. What it is for, as `about` says, is authenticated with it.
    fn seal(&self, about: &str, plain: &[u8]) -> Vec<u8>;

    /// What was sealed; `None` if it is another's or for something else.
    fn open(&self, about: &str, sealed: &[u8]) -> Option<Vec<u8>>;

    /// A name in place of another that is a secret itself: always the same, and not to be turned
    /// back.
    fn conceal(&self, name: &str) -> String;
}

/// How a fan-out seals; by default not at all.
#[derive(Clone, Default)]
pub struct Sealing(Option<Arc<dyn Seal>>);

impl Sealing {
    /// Seals every payload with `seal` before it leaves the process.
    pub fn new(seal: impl Seal) -> Self {
        Self(Some(Arc::new(seal)))
    }

    pub(super) fn seal(&self, about: &str, plain: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Some(seal) => seal.seal(about, &plain),
            None => plain,
        }
    }

    pub(super) fn open(&self, about: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Some(seal) => seal.open(about, sealed),
            None => Some(sealed.to_vec()),
        }
    }

    pub(super) fn conceal(&self, name: &str) -> String {
        match &self.0 {
            Some(seal) => seal.conceal(name),
            None => name.to_owned(),
        }
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealing").field(&self.0.is_some()).finish()
    }
}
