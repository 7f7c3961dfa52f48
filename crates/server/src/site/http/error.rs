//! How the errors of sites travel.

use crate::{
    http::error::{ApiError, Code},
    site::SiteError,
};

impl From<SiteError> for ApiError {
    fn from(error: SiteError) -> Self {
        let text = error.to_string();
        match error {
            SiteError::Domain(_) => Self::invalid("domain", text),
            SiteError::WrongKeys => Self::new(Code::AuthenticationFailed, text),
            SiteError::OtherDomain(_) => Self::new(Code::DomainMismatch, text),
            SiteError::Setting { key, reason } => Self::invalid(&key, reason),
            SiteError::Changed => Self::invalid("settings", text),
            SiteError::Database(cause) => cause.into(),
        }
    }
}
