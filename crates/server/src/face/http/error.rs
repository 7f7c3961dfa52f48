//! How the errors of faces travel, and what a person may do differently.

use ::face::PhotoError;
use serde_json::json;

use crate::{
    face::FaceError,
    http::error::{ApiError, Code},
};

impl From<FaceError> for ApiError {
    fn from(error: FaceError) -> Self {
        let text = error.to_string();
        match error {
            FaceError::NotEnrolled => Self::new(Code::FaceNotEnrolled, text),
            FaceError::Mismatch => Self::new(Code::FaceMismatch, text),
            FaceError::Challenge => Self::invalid("nonce", text),
            FaceError::Consent => Self::invalid("consent_version", text),
            FaceError::Overloaded => Self::new(Code::Overloaded, text).retry_after(2),
            FaceError::Kept => Self::new(Code::ScopeForbidden, text),
            FaceError::Outdated => Self::new(Code::ScopeForbidden, text).with_user_message(
                "Your face has to be enrolled again. Please use the phone you enrolled it with, \
                 or ask the website for a new code."
                    .to_owned(),
            ),
            FaceError::Alive(doubt) => {
                let refused = Self::new(Code::LivenessFailed, text);
                match doubt.hint() {
                    Some(hint) => {
                        with_advice(refused.with_details(json!({ "hint": hint })), Some(hint))
                    }
                    None => refused,
                }
            }
            FaceError::Answer(reason) => Self::invalid("answer.frames", reason),
            FaceError::NoAlternative(_) => Self::invalid("without", text),
            FaceError::NoLiveness => Self::internal(&text),
            FaceError::SeveralPeople => Self::new(Code::SeveralFaces, text),
            FaceError::Client(inner) => inner.into(),
            FaceError::Photo(photo) => photo_error(&photo),
            FaceError::Database(cause) => cause.into(),
            FaceError::Sealed(cause) | FaceError::KeyGone(cause) => Self::internal(&cause),
        }
    }
}

/// Tells the person what to do differently, where the engine's hint says more than the code does.
pub fn with_advice(error: ApiError, hint: Option<&str>) -> ApiError {
    match hint.and_then(advice) {
        Some(sentence) => error.with_user_message(sentence.to_owned()),
        None => error,
    }
}

/// The sentence of a hint of the face engine.
fn advice(hint: &str) -> Option<&'static str> {
    Some(match hint {
        "look_straight" => "Please look straight into the camera first.",
        "turn_more" => "Please turn your head a little more.",
        "look_up_more" => "Please raise your chin a little more.",
        "blink_again" => "We did not see you blink. Please close your eyes for a moment.",
        "open_wider" => "Please open your mouth a little wider.",
        "come_closer" => "Please bring the phone a little nearer.",
        "hold_still" => "Please hold still and try again.",
        "slower" => "That was too fast. Please take your time for each step.",
        _ => return None,
    })
}

fn photo_error(error: &PhotoError) -> ApiError {
    let text = error.to_string();
    match error {
        PhotoError::NoFace => ApiError::new(Code::NoFace, text),
        PhotoError::SeveralFaces => ApiError::new(Code::SeveralFaces, text),
        PhotoError::Poor(reason) => {
            ApiError::new(Code::PoorImage, text).with_details(json!({ "reason": reason.as_str() }))
        }
        PhotoError::Unsupported => ApiError::new(Code::UnsupportedImage, text),
        PhotoError::TooLarge => ApiError::new(Code::ImageTooLarge, text),
        PhotoError::Internal(cause) => ApiError::internal(cause),
        other => ApiError::internal(other),
    }
}
