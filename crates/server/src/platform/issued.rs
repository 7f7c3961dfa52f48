//! Secrets that are handed out for a while, and may be handed out again to the one who got them.

use super::{
    clock::Moment,
    keys::{KeyError, Keyring},
    secret,
};
use uuid::Uuid;

/// As it is kept: found by its hash, and opened only with the installation's keys.
pub struct Issued {
    /// SHA-256 of the token: what is kept of it.
    pub hash: Vec<u8>,
    /// Sealed, bound to whom it was issued.
    pub sealed: Vec<u8>,
    /// When it was handed out.
    pub at: Moment,
    /// The end of its life.
    pub until: Moment,
}

impl Issued {
    /// Seals a secret for the row `to`.
    ///
    /// # Errors
    /// Only when the key cannot seal.
    pub fn new(
        keys: &Keyring,
        to: Uuid,
        secret: &str,
        at: Moment,
        until: Moment,
    ) -> Result<Self, KeyError> {
        let sealed = keys
            .issuing_key()
            .sealing()?
            .seal(to.as_bytes(), secret.as_bytes())
            .map_err(|_| KeyError::Damaged("a secret handed out".into()))?;
        Ok(Self {
            hash: secret::hash(secret),
            sealed,
            at,
            until,
        })
    }

    /// The secret again.
    ///
    /// # Errors
    /// When it was sealed for another row, or is damaged.
    pub fn reveal(keys: &Keyring, to: Uuid, sealed: &[u8]) -> Result<String, KeyError> {
        let damaged = || KeyError::Damaged("a secret handed out".into());
        let plain = keys
            .issuing_key()
            .sealing()?
            .open(to.as_bytes(), sealed)
            .map_err(|_| damaged())?;
        String::from_utf8(plain.to_vec()).map_err(|_| damaged())
    }
}
