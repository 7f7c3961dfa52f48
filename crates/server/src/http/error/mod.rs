//! From a domain error to what travels: code, status and envelope. Domain errors know no HTTP, and
//! no other file maps them.

mod code;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub use self::code::Code;
use ::face::liveness::Doubt;

use crate::{
    client::ClientError,
    device::ProofError,
    enrolment::EnrolmentError,
    face::FaceError,
    http::{request, token::TokenError},
    limit::{Limited, Rule},
    platform::events::Failing,
    sign_on::SignOnError,
    site::SiteError,
};

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: Code,
    status: StatusCode,
    message: String,
    user_message: Option<String>,
    details: Option<Value>,
    data: Option<Value>,
    retry_after: Option<u64>,
}

/// What every handler returns.
pub type ApiResult<T> = Result<T, ApiError>;

/// The failure envelope.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Always `false`.
    #[schema(example = false)]
    pub success: bool,
    /// For developers.
    pub message: String,
    /// A sentence a page may show.
    pub user_message: String,
    /// Machine-readable slug.
    #[schema(example = "invalid_parameter")]
    pub error: String,
    /// The contract's number.
    #[schema(example = 1006)]
    pub code: u16,
    /// The HTTP status once more.
    #[schema(example = 400)]
    pub http_code: u16,
    /// What exactly, where there is more to say: `field` and `reason`, or `attempts_left`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// What the caller may know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ApiError {
    /// A failure of this code; `message` is for developers.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            status: code.status(),
            message: message.into(),
            user_message: None,
            details: None,
            data: None,
            retry_after: None,
        }))
    }

    /// 1006, naming the field and what is wrong with it.
    #[must_use]
    pub fn invalid(field: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let mut error = Self::new(Code::InvalidParameter, format!("{field}: {reason}"));
        error.0.details = Some(json!({ "field": field, "reason": reason }));
        error
    }

    /// Logs the cause and answers 5000 with nothing but the request id.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        let id = request::current_id();
        tracing::error!(request_id = %id, error = %cause, "internal error");
        Self::new(
            Code::Internal,
            format!("internal error; quote request id {id}"),
        )
    }

    /// The same with another status, where HTTP has a truer one than the code's.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The same with `details`.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The same with `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.0.data = Some(data);
        self
    }

    fn with_user_message(mut self, sentence: String) -> Self {
        self.0.user_message = Some(sentence);
        self
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let parts = *self.0;
        let body = Failure {
            success: false,
            message: parts.message,
            user_message: parts
                .user_message
                .unwrap_or_else(|| parts.code.user_message().to_owned()),
            error: parts.code.slug().to_owned(),
            code: parts.code.number(),
            http_code: parts.status.as_u16(),
            details: parts.details,
            data: parts.data,
        };
        let mut response = (parts.status, Json(body)).into_response();
        if let Some(seconds) = parts.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        Self::internal(&error)
    }
}

impl From<SiteError> for ApiError {
    fn from(error: SiteError) -> Self {
        let text = error.to_string();
        match error {
            SiteError::Domain(_) => Self::invalid("domain", text),
            SiteError::WrongKeys => Self::new(Code::AuthenticationFailed, text),
            SiteError::OtherDomain => Self::new(Code::DomainMismatch, text),
            SiteError::Setting { key, reason } => Self::invalid(&key, reason),
            SiteError::Database(cause) => Self::internal(&cause),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        let text = error.to_string();
        match error {
            TokenError::Missing => Self::new(Code::TokenMissing, text),
            TokenError::Invalid => Self::new(Code::TokenInvalid, text),
            TokenError::Expired => Self::new(Code::TokenExpired, text),
            TokenError::Revoked => Self::new(Code::TokenRevoked, text),
            TokenError::Scope => Self::new(Code::ScopeForbidden, text),
            TokenError::Database(cause) => Self::internal(&cause),
            TokenError::Signing(cause) => Self::internal(&cause),
        }
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        let text = error.to_string();
        match error {
            ClientError::NotFound => Self::new(Code::ClientNotFound, text),
            ClientError::EmailTaken(id) => {
                Self::new(Code::ClientExists, text).with_data(json!({ "client_id": id }))
            }
            ClientError::Locked { minutes } => {
                let wait = match minutes {
                    1 => "1 minute".to_owned(),
                    more => format!("{more} minutes"),
                };
                Self::new(Code::AccountLocked, text)
                    .with_user_message(format!(
                        "Too many failed tries. Please try again in {wait}."
                    ))
                    .with_details(json!({ "minutes_left": minutes }))
                    .retry_after(minutes.unsigned_abs() * 60)
            }
            ClientError::LockedPermanently => Self::new(Code::AccountLockedPermanently, text),
            ClientError::Database(cause) => Self::internal(&cause),
        }
    }
}

impl From<EnrolmentError> for ApiError {
    fn from(error: EnrolmentError) -> Self {
        let text = error.to_string();
        match error {
            EnrolmentError::Invalid => Self::new(Code::EnrollmentInvalid, text),
            EnrolmentError::Drawing(cause) => Self::internal(&cause),
            EnrolmentError::Database(cause) => Self::internal(&cause),
        }
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        let text = error.to_string();
        match error {
            ProofError::Database(cause) => Self::internal(&cause),
            _ => Self::new(Code::DeviceProofInvalid, text),
        }
    }
}

impl From<FaceError> for ApiError {
    fn from(error: FaceError) -> Self {
        let text = error.to_string();
        match error {
            FaceError::NotEnrolled => Self::new(Code::FaceNotEnrolled, text),
            FaceError::Mismatch => Self::new(Code::FaceMismatch, text),
            FaceError::Challenge => Self::invalid("nonce", text),
            FaceError::Consent => Self::invalid("consent_version", text),
            FaceError::Overloaded => Self::new(Code::Overloaded, text).retry_after(2),
            FaceError::Outdated => Self::new(Code::ScopeForbidden, text).with_user_message(
                "Your face has to be enrolled again. Please use the phone you enrolled it with, \
                 or ask the website for a new code."
                    .to_owned(),
            ),
            FaceError::Alive(doubt) => {
                let refused = Self::new(Code::LivenessFailed, text);
                match doubt.hint() {
                    Some(hint) => refused
                        .with_details(json!({ "hint": hint }))
                        .with_advice(Some(hint)),
                    None => refused,
                }
            }
            FaceError::Answer(reason) => Self::invalid("answer.frames", reason),
            FaceError::NoAlternative(_) => Self::invalid("without", text),
            FaceError::NoLiveness => Self::internal(&text),
            FaceError::SeveralPeople => Self::new(Code::SeveralFaces, text),
            FaceError::Client(inner) => inner.into(),
            FaceError::Photo(photo) => photo_error(&photo),
            FaceError::Database(cause) => Self::internal(&cause),
            FaceError::Sealed(cause) => Self::internal(&cause),
        }
    }
}

impl ApiError {
    /// Tells the person what to do differently, where the phone can say more than the code does.
    fn with_advice(self, hint: Option<&str>) -> Self {
        match hint.and_then(advice) {
            Some(sentence) => self.with_user_message(sentence.to_owned()),
            None => self,
        }
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

fn photo_error(error: &::face::PhotoError) -> ApiError {
    use ::face::PhotoError;
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

impl From<SignOnError> for ApiError {
    fn from(error: SignOnError) -> Self {
        let text = error.to_string();
        match error {
            SignOnError::NotFound => Self::new(Code::VerificationNotFound, text),
            SignOnError::Expired => Self::new(Code::VerificationExpired, text),
            SignOnError::Used => Self::new(Code::VerificationUsed, text),
            SignOnError::Challenge => Self::invalid("nonce", text),
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
                Self::new(failure.into(), text)
                    .with_details(details)
                    .with_advice(hint)
            }
            SignOnError::SessionInvalid => Self::new(Code::SessionTokenInvalid, text),
            SignOnError::SessionOtherSite => Self::new(Code::SessionTokenOtherSite, text),
            SignOnError::Limited(inner) => inner.into(),
            SignOnError::Client(inner) => inner.into(),
            SignOnError::Face(inner) => inner.into(),
            SignOnError::Database(cause) => Self::internal(&cause),
        }
    }
}

impl From<Limited> for ApiError {
    fn from(limited: Limited) -> Self {
        let text = limited.to_string();
        match limited {
            Limited::Over { rule, retry_after } => {
                Self::new(rule.into(), text).retry_after(retry_after)
            }
            Limited::Database(cause) => Self::internal(&cause),
        }
    }
}

impl From<Rule> for Code {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::PushByIp => Self::PushLimitedByIp,
            Rule::PushByClient => Self::PushLimitedByClient,
            Rule::VerifyByIp => Self::VerifyLimitedByIp,
            Rule::VerifyBySignOn => Self::VerifyLimitedBySignOn,
            Rule::Auth | Rule::Enrol | Rule::Other => Self::RateLimited,
        }
    }
}

impl From<Failing> for Code {
    fn from(failure: Failing) -> Self {
        match failure {
            Failing::Face => Self::FaceMismatch,
            Failing::Number => Self::NumberMismatch,
            Failing::Liveness => Self::LivenessFailed,
        }
    }
}

/// 5003: shed before work is begun.
#[must_use]
pub fn overloaded() -> ApiError {
    ApiError::new(Code::Overloaded, "too much work at once; try again shortly").retry_after(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_belong_to_one_status_each() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            if seen.insert((code.number(), code.status())) {
                let others = Code::ALL.iter().filter(|c| c.number() == code.number());
                assert!(others.clone().all(|c| c.status() == code.status()));
            }
            assert!(code.user_message().ends_with('.'));
        }
    }
}
