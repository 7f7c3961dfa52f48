//! How the cable's messages and sessions lie in Redis: sealed with a key that the database holds and
//! Redis does not, for they carry session tokens, verification tokens and e-mail addresses.

use ::cable::fanout::redis::Seal;

use crate::platform::keys::{Key, KeyError, Keyring, SealingKey};

/// Seals with a key that all servers of the installation have.
pub(super) struct FanoutSeal {
    sealing: SealingKey,
    key: Key,
}

impl FanoutSeal {
    /// With the key of this installation.
    pub(super) fn new(keys: &Keyring) -> Result<Self, KeyError> {
        let key = keys.shared_key();
        let sealing = key.sealing()?;
        Ok(Self { sealing, key })
    }
}

impl Seal for FanoutSeal {
    fn seal(&self, about: &str, plain: &[u8]) -> Vec<u8> {
        // It fails beyond 64 GiB only, and what is empty opens nowhere.
        self.sealing
            .seal(about.as_bytes(), plain)
            .unwrap_or_default()
    }

    fn open(&self, about: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = self.sealing.open(about.as_bytes(), sealed).ok()?;
        Some(plain.to_vec())
    }

    fn conceal(&self, name: &str) -> String {
        hex::encode(self.key.derive(name.as_bytes()).as_slice())
    }
}
