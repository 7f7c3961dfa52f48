//! How the errors of device proofs travel.

use crate::{
    device::ProofError,
    http::error::{ApiError, Code},
};

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        let text = error.to_string();
        match error {
            ProofError::Database(cause) => cause.into(),
            _ => Self::new(Code::DeviceProofInvalid, text),
        }
    }
}
