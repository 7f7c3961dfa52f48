//! How the errors of device proofs travel.

use serde_json::json;

use crate::{
    device::ProofError,
    http::error::{ApiError, Code},
};

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        let text = error.to_string();
        match error {
            ProofError::Database(cause) => cause.into(),
            // What is refused otherwise may pass the next time; this phone has to be paired again.
            ProofError::Unpaired => Self::new(Code::DeviceProofInvalid, text)
                .with_details(json!({ "reason": "unpaired" })),
            _ => Self::new(Code::DeviceProofInvalid, text),
        }
    }
}
