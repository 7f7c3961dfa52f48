//! What a failure looks like on its way to the caller: code, status and envelope. Domain errors know
//! no HTTP; each slice says in its `http/error.rs` what becomes of its own.

use axum::{
    Extension, Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::request_id;
pub use crate::platform::code::Code;
use crate::platform::db;

/// Seconds after which a database that was away may be back.
const RETRY_AFTER_AWAY: u64 = 5;

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

/// The envelope of every answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Always `false`; a success has an envelope of its own.
    #[schema(example = false)]
    pub success: bool,
    /// What a developer needs to know, in English.
    pub message: String,
    /// A sentence a page may show.
    pub user_message: String,
    /// The name of the failure, for programs.
    #[schema(example = "invalid_parameter")]
    pub error: String,
    /// The number by which the contract names the failure.
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

/// What of a failure a page may show; travels with the answer as an extension.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which of the contract's failures it is.
    pub code: Code,
    /// A sentence for the person.
    pub sentence: String,
}

impl ApiError {
    /// A failure of this code; `message` is for developers.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            status: StatusCode::from_u16(code.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
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
        let id = request_id::current();
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

    /// The same with another sentence for the person.
    #[must_use]
    pub fn with_user_message(mut self, sentence: String) -> Self {
        self.0.user_message = Some(sentence);
        self
    }

    /// The same with `Retry-After`, at least a second. Where a limit was reached, the sentence for the person
    /// says how long too.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        let seconds = seconds.max(1);
        self.0.retry_after = Some(seconds);
        if self.0.status == StatusCode::TOO_MANY_REQUESTS && self.0.user_message.is_none() {
            let sentence = self.0.code.user_message();
            let what = sentence.split_inclusive('.').next().unwrap_or(sentence);
            let wait = in_words(seconds);
            self.0.user_message = Some(format!("{what} Please try again in {wait}."));
        }
        self
    }

    /// Which of the contract's failures it is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }
}

/// A wait as a person says it: rounded up to minutes from a minute and a half on, to hours from two hours on.
#[must_use]
pub fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        ..90 => (seconds, "second"),
        90..7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
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
        let shown = Shown {
            code: parts.code,
            sentence: body.user_message.clone(),
        };
        let mut response = (parts.status, Extension(shown), Json(body)).into_response();
        if parts.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(challenge(parts.code));
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(parts.code);
        if let Some(seconds) = parts.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How to say who calls (RFC 9110, section 11.6.1): sites by a bearer token (RFC 6750, section 3),
/// phones by a proof (RFC 9449, section 7.1).
const fn challenge(code: Code) -> &'static str {
    match code {
        Code::TokenInvalid | Code::TokenExpired | Code::TokenRevoked => {
            "Bearer error=\"invalid_token\""
        }
        Code::DeviceProofInvalid => "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"",
        Code::FaceMismatch | Code::LivenessFailed | Code::NumberMismatch => "DPoP algs=\"ES256\"",
        _ => "Bearer",
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        let what = if db::is_away(&error) {
            "the database does not answer"
        } else if db::is_full(&error) {
            "the database's disk is full"
        } else {
            return Self::internal(&error);
        };
        let id = request_id::current();
        tracing::error!(request_id = %id, %error, "{what}");
        unable(what)
    }
}

/// 5003: what is needed is away, or has no room.
#[must_use]
pub fn unable(what: &str) -> ApiError {
    ApiError::new(Code::Overloaded, format!("{what}; try again shortly"))
        .retry_after(RETRY_AFTER_AWAY)
}

/// 5003: shed before work is begun.
#[must_use]
pub fn overloaded() -> ApiError {
    ApiError::new(Code::Overloaded, "too much work at once; try again shortly").retry_after(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_said_as_people_say_it() {
        for (seconds, words) in [
            (1, "1 second"),
            (89, "89 seconds"),
            (90, "2 minutes"),
            (900, "15 minutes"),
            (7199, "120 minutes"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }

    #[test]
    fn whoever_is_over_a_limit_reads_how_long() {
        for code in Code::ALL.iter().filter(|code| code.status() == 429) {
            let error = ApiError::new(*code, "x").retry_after(61);
            let sentence = error.0.user_message.unwrap();
            assert!(
                sentence.ends_with(". Please try again in 61 seconds."),
                "{sentence}"
            );
        }
        assert!(overloaded().0.user_message.is_none());
    }
}
