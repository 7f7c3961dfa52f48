//! How the errors of sign-ons travel.

use ::face::liveness::Doubt;
use serde_json::json;

use crate::{
    face::http::with_advice,
    http::error::{ApiError, Code},
    sign_on::SignOnError,
};

impl From<SignOnError> for ApiError {
    fn from(error: SignOnError) -> Self {
        let text = error.to_string();
        match error {
            SignOnError::NotFound => Self::new(Code::VerificationNotFound, text),
            SignOnError::Expired => Self::new(Code::VerificationExpired, text),
            SignOnError::Used => Self::new(Code::VerificationUsed, text),
            SignOnError::Challenge => Self::invalid("nonce", text),
            SignOnError::NumberMissing => Self::invalid("number", text),
            SignOnError::NoDevice => Self::new(Code::DeviceTokenNotFound, text),
            SignOnError::Frozen { seconds } => {
                Self::new(Code::PushLimitedByIp, text).retry_after(seconds)
            }
            SignOnError::Refused {
                failure,
                left,
                doubt,
            } => {
                let hint = doubt.and_then(Doubt::hint);
                let mut details = json!({ "attempts_left": left });
                if let Some(hint) = hint {
                    details["hint"] = hint.into();
                }
                with_advice(Self::new(failure.into(), text).with_details(details), hint)
            }
            SignOnError::SessionInvalid => Self::new(Code::SessionTokenInvalid, text),
            SignOnError::SessionOtherSite => Self::new(Code::SessionTokenOtherSite, text),
            SignOnError::Limited(inner) => inner.into(),
            SignOnError::Client(inner) => inner.into(),
            SignOnError::Face(inner) => inner.into(),
            SignOnError::Database(cause) => cause.into(),
        }
    }
}
