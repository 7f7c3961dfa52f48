//! What can go wrong between a phone and a server.

use serde_json::Value;
use thiserror::Error;

use crate::key::KeyError;

/// What the phone could not do.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// The server's envelope says no.
    #[error("{user_message} ({code} {error}: {message})")]
    Refused {
        /// The number by which the contract names the failure.
        code: u64,
        /// The contract's slug for that number.
        error: String,
        /// What a developer needs to know.
        message: String,
        /// What the person may be told.
        user_message: String,
        /// What there is to say beside, for instance the state of a face or the wait in seconds.
        details: Value,
    },
    /// The server cannot be reached, or does not speak the contract.
    #[error("cannot talk to the server: {0}")]
    Network(String),
    /// The link is not one to pair with.
    #[error("{0:?} is neither an enrolment link nor a token")]
    Link(String),
    /// The challenge asks for something that no photo of the album shows. Nothing was sent.
    #[error(
        "no photo shows {}, and the challenge asks for {}. Nothing was sent, and no try is counted if photos that show it \
         are sent within {expires_in} seconds: until then the same is asked for",
        .missing.join(" and "), .asked.join(", ")
    )]
    NotShown {
        /// What no photo shows.
        missing: Vec<String>,
        /// All that is asked for, in its order.
        asked: Vec<String>,
        /// Seconds until the challenge ends, which counts as a try.
        expires_in: u64,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
