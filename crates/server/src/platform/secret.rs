//! Secrets that are shown once and kept as a hash.
//!
//! Every token here carries 256 random bits, so a plain SHA-256 is as strong as a slow password
//! hash would be and costs nothing at each request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt as _;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Longest token text accepted anywhere; longer input is not even hashed.
const LONGEST: usize = 512;

/// A secret in the clear, on its way to the one who may have it. Never logged: no `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret: `prefix` and 256 random bits in base64url.
    #[must_use]
    pub fn generate(prefix: &str) -> Self {
        Self::of(prefix, &Zeroizing::new(rand::rng().random()))
    }

    /// `prefix` and these bits in base64url.
    #[must_use]
    pub fn of(prefix: &str, bits: &[u8; 32]) -> Self {
        Self(Zeroizing::new(format!(
            "{prefix}{}",
            URL_SAFE_NO_PAD.encode(bits)
        )))
    }

    /// Takes a text that came from outside.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text itself, to be sent or printed once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

/// SHA-256 of a token, 32 bytes.
#[must_use]
pub fn hash(token: &str) -> Vec<u8> {
    let end = token.len().min(LONGEST + 1);
    Sha256::digest(&token.as_bytes()[..end]).to_vec()
}

/// Compares in a time that does not depend on where the two differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// `count` random bytes in lower-case hexadecimal, for names that are public.
#[must_use]
pub fn public_name(prefix: &str, count: usize) -> String {
    let mut random = rand::rng();
    let bytes: Vec<u8> = (0..count).map(|_| random.random()).collect();
    format!("{prefix}{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_hash_and_no_other() {
        let secret = Secret::generate("sk_");
        assert!(same(&secret.hash(), &hash(secret.reveal())));
        assert!(!same(&secret.hash(), &Secret::generate("sk_").hash()));
        assert!(!same(&secret.hash(), b"short"));
    }

    #[test]
    fn an_overlong_token_does_not_collide_with_its_prefix() {
        let long = "a".repeat(LONGEST + 1);
        assert_ne!(hash(&long), hash(&"a".repeat(LONGEST)));
    }

    #[test]
    fn public_names_have_two_digits_a_byte() {
        assert_eq!(public_name("ch_", 8).len(), 3 + 16);
    }
}
