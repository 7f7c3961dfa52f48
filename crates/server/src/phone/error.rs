//! What can go wrong between a phone and a server.

use serde_json::Value;
use thiserror::Error;

use super::key::KeyError;

/// What the phone could not do.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// The server's envelope says no.
    #[error("{user_message} ({code} {error}: {message})")]
    Refused {
        /// The contract's number.
        code: u64,
        /// Its slug.
        error: String,
        /// For developers.
        message: String,
        /// For the person.
        user_message: String,
        /// What else there is to say.
        details: Value,
    },
    /// The server cannot be reached, or does not speak the contract.
    #[error("cannot talk to the server: {0}")]
    Network(String),
    /// The link is not one to pair with.
    #[error("{0:?} is neither an enrolment link nor a token")]
    Link(String),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
