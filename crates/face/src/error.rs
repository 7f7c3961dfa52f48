//! Why a photo gave no template.

use std::fmt;

/// Why a photo gave no template. Each case but the last is something the person can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhotoError {
    /// No face was found, not even by the strong detector.
    #[error("no face was found in the photo")]
    NoFace,
    /// More than one face could be meant.
    #[error("more than one face was found in the photo")]
    SeveralFaces,
    /// There is one face, but it cannot be compared reliably.
    #[error("the face in the photo cannot be used: {0}")]
    Poor(PoorReason),
    /// The bytes are no photo this build can read: another format, truncated or corrupt.
    #[error("the file is not a photo that can be read")]
    Unsupported,
    /// More bytes, pixels or memory than a photo may take.
    #[error("the photo is too large")]
    TooLarge,
    /// The engine itself failed; not the photo's fault. The text is for the log, not for people.
    #[error("the face engine failed: {0}")]
    Internal(String),
}

impl From<sight::Failed> for PhotoError {
    fn from(sight::Failed(what): sight::Failed) -> Self {
        Self::Internal(what)
    }
}

/// What makes a found face unusable. The words are those of the wire contract's `details.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoorReason {
    /// The face covers too few pixels.
    TooSmall,
    /// The face is too dark to show its features.
    TooDark,
    /// The face is burnt out.
    TooBright,
    /// The face has no sharp edges.
    Blurred,
    /// The head is turned too far.
    TurnedAway,
    /// The eyes are closed.
    EyesClosed,
    /// Part of the face is hidden.
    Covered,
}

impl PoorReason {
    /// The word of the wire contract, e.g. `too_small`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooSmall => "too_small",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::Blurred => "blurred",
            Self::TurnedAway => "turned_away",
            Self::EyesClosed => "eyes_closed",
            Self::Covered => "covered",
        }
    }
}

impl fmt::Display for PoorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
