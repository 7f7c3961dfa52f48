//! Challenges, answers and what can go wrong with a face.

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{
    client::ClientError, engine::WorkError, keys::KeyError, secret::Secret, site::Liveness,
};
use ::face::{PhotoError, TemplateError};

/// What a phone must answer with its photos.
#[derive(Serialize, ToSchema)]
pub struct Challenge {
    /// To be given back with the answer, once.
    pub nonce: String,
    /// Seconds.
    #[schema(example = 120)]
    pub expires_in: u32,
    /// How strictly a living person is asked for.
    pub liveness: Liveness,
    /// What the person is to do, in this order.
    pub steps: Vec<Step>,
}

/// One thing for the person to do.
#[derive(Serialize, ToSchema)]
pub struct Step {
    /// Named in the frames that show it.
    #[schema(example = "s1")]
    pub id: &'static str,
    /// What to do.
    #[schema(example = "look_straight")]
    pub action: &'static str,
}

impl Challenge {
    /// A new challenge and the hash to keep of its nonce.
    #[must_use]
    pub fn draw(liveness: Liveness, expires_in: u32) -> (Self, Vec<u8>) {
        let nonce = Secret::generate("");
        let hash = nonce.hash();
        let steps = match liveness {
            Liveness::Off => vec![Step {
                id: "s1",
                action: "look_straight",
            }],
        };
        let challenge = Self {
            nonce: nonce.reveal().to_owned(),
            expires_in,
            liveness,
            steps,
        };
        (challenge, hash)
    }
}

/// One photo of an answer: in which part it is, and what it shows.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Frame {
    /// Name of the multipart part.
    #[schema(example = "frame0")]
    pub part: String,
    /// The step it shows.
    #[schema(example = "s1")]
    #[serde(default)]
    pub step: String,
    /// Milliseconds since the challenge was shown.
    #[serde(default)]
    pub t_ms: i64,
}

/// Most photos of one answer.
pub(super) const MOST_FRAMES: usize = 12;

/// What can go wrong with a face.
#[derive(Debug, Error)]
pub enum FaceError {
    /// The client has no face, or one of another pack.
    #[error("the client has no face enrolled")]
    NotEnrolled,
    /// The new face is not the enrolled one's person.
    #[error("the face does not match the one enrolled")]
    Mismatch,
    /// The nonce is not the one given out, was used, or is too old.
    #[error("is not the challenge that was given out, or has expired; ask for a new one")]
    Challenge,
    /// The consent is missing or of another version.
    #[error("must be the version of the consent text that the person agreed to")]
    Consent,
    /// The photos of one answer show different people.
    #[error("the photos do not show one and the same person")]
    SeveralPeople,
    /// The face that is there was made by another pack, and this phone may not put one in its place.
    #[error(
        "the face that is there was made by another face pack, and another phone enrolled it: enrol with that phone, or ask the site for a new signup code"
    )]
    Outdated,
    /// The client is locked out.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Too many photos wait already.
    #[error("too many photos are waiting; try again shortly")]
    Overloaded,
    /// The photo cannot be used.
    #[error(transparent)]
    Photo(PhotoError),
    /// The stored template does not open.
    #[error("the stored template does not open: {0}")]
    Sealed(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<WorkError> for FaceError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Overloaded => Self::Overloaded,
            WorkError::Photo(error) => Self::Photo(error),
        }
    }
}

impl From<KeyError> for FaceError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Database(cause) => Self::Database(cause),
            other => Self::Sealed(other.to_string()),
        }
    }
}

/// Templates of one engine always compare; that they do not is not the photo's fault.
impl From<TemplateError> for FaceError {
    fn from(error: TemplateError) -> Self {
        Self::Photo(PhotoError::Internal(error.to_string()))
    }
}
