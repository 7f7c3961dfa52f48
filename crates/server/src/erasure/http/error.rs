//! How the errors of erasures travel.

use crate::{erasure::flow::ErasureError, http::error::ApiError};

impl From<ErasureError> for ApiError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Client(inner) => inner.into(),
            ErasureError::Signing(cause) => Self::internal(&cause),
            ErasureError::Key(cause) => Self::internal(&cause),
            ErasureError::Database(cause) => cause.into(),
        }
    }
}
