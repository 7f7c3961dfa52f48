//! The file by which Google knows a service account.

use jsonwebtoken::EncodingKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroize as _;

use crate::platform::keys::{KeyError, Unsealable};

/// Where Google gives tokens out. A file that names another place would have this server sign for strangers.
pub(super) const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// Longest file, bytes: real ones have two thousand and a half.
const LONGEST: usize = 16_384;

/// Why a service account cannot be used.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The file is none of a service account.
    #[error("{0}")]
    File(String),
    /// There is none to take away.
    #[error("there is no such service account; axiam push account list shows them")]
    NotFound,
    /// A key does not open.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What was sealed does not open.
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// A service account's key, as the console of Firebase gives it out.
#[derive(Serialize, Deserialize)]
pub struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    /// Whose phones it wakes.
    pub project_id: String,
    /// Names the key at Google.
    pub private_key_id: String,
    private_key: String,
    /// Names the account at Google.
    pub client_email: String,
    token_uri: String,
}

impl KeyFile {
    /// Reads a file and tries its key.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn read(text: &str) -> Result<Self, AccountError> {
        let wrong = |reason: &str| AccountError::File(reason.to_owned());
        if text.len() > LONGEST {
            return Err(wrong("the file is too long for a service account's key"));
        }
        let file: Self = serde_json::from_str(text).map_err(|error| {
            // The message of serde may quote the file.
            wrong(&format!(
                "the file is no service account's key (line {}): download one in the console of Firebase, Project \
                 settings, Service accounts",
                error.line()
            ))
        })?;
        let is_name = |text: &str, signs: &str| {
            let fits = |sign: char| sign.is_ascii_alphanumeric() || signs.contains(sign);
            (1..=200).contains(&text.len()) && text.chars().all(fits)
        };
        if file.kind != "service_account" {
            return Err(wrong("its type is not service_account"));
        }
        // It becomes a part of an address.
        if !is_name(&file.project_id, "-") {
            return Err(wrong("its project_id is none"));
        }
        if !is_name(&file.client_email, "-_.@") || !file.client_email.contains('@') {
            return Err(wrong("its client_email is no address"));
        }
        if !is_name(&file.private_key_id, "-_") {
            return Err(wrong("its private_key_id is none"));
        }
        if file.token_uri != TOKENS {
            return Err(wrong(&format!("its token_uri is not {TOKENS}")));
        }
        file.signing()?;
        Ok(file)
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> Result<EncodingKey, AccountError> {
        let key = EncodingKey::from_rsa_pem(self.private_key.as_bytes());
        key.map_err(|_| AccountError::File("its private_key cannot be read".into()))
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.private_key.zeroize();
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.client_email)
    }
}
