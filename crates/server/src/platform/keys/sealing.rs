//! Sealing with AES-256-GCM.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use rand::RngExt as _;
use thiserror::Error;
use zeroize::Zeroizing;

/// Something sealed did not open: another key, other associated data, or damage.
#[derive(Debug, Error)]
#[error("sealed data does not open")]
pub struct Unsealable;

/// Bytes of a nonce of AES-GCM.
const NONCE: usize = 12;

/// An AES-256-GCM key. Sealed bytes are the nonce followed by the ciphertext and its tag.
pub struct SealingKey(Aes256Gcm);

impl SealingKey {
    /// From 32 bytes; `None` for any other number.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        Aes256Gcm::new_from_slice(bytes).ok().map(Self)
    }

    /// Seals `plain`; `about` must be the same when it is opened.
    ///
    /// # Errors
    /// Only for texts longer than AES-GCM can seal (64 GiB).
    pub fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let payload = Payload {
            msg: plain,
            aad: about,
        };
        let sealed = self
            .0
            .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
            .map_err(|_| Unsealable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// When the key, `about` or a byte differs.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable)?;
        let payload = Payload {
            msg: body,
            aad: about,
        };
        self.0
            .decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_with_the_same_key_and_subject() {
        let key = SealingKey::new(&[7; 32]).unwrap();
        let sealed = key.seal(b"site a", b"template").unwrap();
        assert_eq!(
            key.open(b"site a", &sealed).unwrap().as_slice(),
            b"template"
        );
        assert!(key.open(b"site b", &sealed).is_err());
        assert!(
            SealingKey::new(&[8; 32])
                .unwrap()
                .open(b"site a", &sealed)
                .is_err()
        );
        for cut in 0..sealed.len() {
            assert!(key.open(b"site a", &sealed[..cut]).is_err());
        }
    }
}
