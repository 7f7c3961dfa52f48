//! What can go wrong with a face.

use sea_orm::DbErr;
use thiserror::Error;

use crate::{
    client::ClientError,
    platform::{db, engine::WorkError, keys::KeyError},
};
use ::face::{PhotoError, TemplateError, liveness::Doubt};

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
    /// The photos may not show a living person who did what was asked.
    #[error("the photos do not prove a living person who did what was asked")]
    Alive(Doubt),
    /// The frames do not fit the challenge.
    #[error("{0}")]
    Answer(String),
    /// A word names no action, or no challenge would be left.
    #[error(
        "must name actions of a challenge, and leave a turn of the head and a blink or an open mouth"
    )]
    NoAlternative(String),
    /// The site asks for liveness and the pack in use cannot tell.
    #[error(
        "the face pack cannot tell a living person; set the site's liveness to off, or use another pack"
    )]
    NoLiveness,
    /// The photos of one answer show different people.
    #[error("the photos do not show one and the same person")]
    SeveralPeople,
    /// The face that is there was made by another pack, and this phone may not put one in its place.
    #[error(
        "the face that is there was made by another face pack, and another phone enrolled it: enrol with that phone, or ask the site for a new signup code"
    )]
    Outdated,
    /// There is a face, and the site does not let its backend put another in its place.
    #[error(
        "a face is enrolled, and this site does not let its backend replace it (setting backend_replaces_face); give the person a signup code"
    )]
    Kept,
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
    /// A key that the work had begun with is not there any more.
    #[error("{0}")]
    KeyGone(String),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl FaceError {
    /// Whether a key was replaced meanwhile, so that another attempt finds the new one.
    pub(super) fn is_of_a_replaced_key(&self) -> bool {
        match self {
            Self::KeyGone(_) => true,
            Self::Database(error) => db::is_dangling(error),
            _ => false,
        }
    }
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
            KeyError::Missing(_) => Self::KeyGone(error.to_string()),
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
