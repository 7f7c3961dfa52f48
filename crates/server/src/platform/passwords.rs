//! Passwords, as Argon2id keeps them (RFC 9106): off the async threads, and so many at once that their memory
//! stays bounded.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::secret::Secret;

/// Memory, KiB; passes; lanes: what OWASP's Password Storage Cheat Sheet asks for at the least.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// How many may wait for each one that is worked on.
const QUEUE: usize = 16;

/// Nobody's password, at the same cost: what an unknown account is compared with.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzLg$CzBVep/E6Q4zWH2ix+wRNluApcrvFDleg6jN8hc8YYY";

/// Why a password could be neither kept nor compared.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords are waiting")]
    Overloaded,
    /// The hash is none, or memory ran out.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
}

/// The workers that hash.
#[derive(Debug, Clone)]
pub struct Passwords {
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

impl Default for Passwords {
    /// One for each core.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            waiting: Arc::new(Semaphore::new(cores * (1 + QUEUE))),
            working: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Passwords {
    /// What the database keeps of a password.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let hash = move || {
            let hashed = hasher()?.hash_password(password.reveal().as_bytes());
            hashed
                .map(|hash| hash.to_string())
                .map_err(|error| PasswordError::Hash(error.to_string()))
        };
        self.work(hash).await
    }

    /// Whether this is the password that was kept. Without one the same work is done, for nothing.
    ///
    /// # Errors
    /// When too many wait, or what was kept is no hash.
    pub async fn is(&self, password: Secret, kept: Option<String>) -> Result<bool, PasswordError> {
        let compare = move || {
            use argon2::password_hash::Error;
            let hash = kept.as_deref().unwrap_or(NOBODY);
            match hasher()?.verify_password(password.reveal().as_bytes(), hash) {
                Ok(()) => Ok(kept.is_some()),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(PasswordError::Hash(error.to_string())),
            }
        };
        self.work(compare).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = self.waiting.clone().try_acquire_owned();
        let _place = place.map_err(|_| PasswordError::Overloaded)?;
        let turn = self.working.clone().acquire_owned().await;
        let turn = turn.map_err(|_| PasswordError::Overloaded)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        let done = done.await;
        done.map_err(|error| PasswordError::Hash(error.to_string()))?
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Secret {
        Secret::from_text(text)
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let passwords = Passwords::default();
        let kept = passwords.hash(text("a long sentence")).await.unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        let is = async |given: &str, kept: Option<&String>| {
            passwords.is(text(given), kept.cloned()).await.unwrap()
        };
        assert!(is("a long sentence", Some(&kept)).await);
        assert!(!is("a long sentencf", Some(&kept)).await);
        assert!(!is("a long sentence", None).await, "nobody's fits nothing");
        assert_ne!(kept, passwords.hash(text("a long sentence")).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_no_hash_is_no_wrong_password() {
        let passwords = Passwords::default();
        let given = passwords.is(text("x"), Some("spoilt".to_owned())).await;
        assert!(matches!(given, Err(PasswordError::Hash(_))));
    }

    #[tokio::test]
    async fn too_many_are_turned_away_before_any_work() {
        let passwords = Passwords {
            waiting: Arc::new(Semaphore::new(0)),
            working: Arc::new(Semaphore::new(1)),
        };
        let given = passwords.hash(text("x")).await;
        assert!(matches!(given, Err(PasswordError::Overloaded)));
    }
}
