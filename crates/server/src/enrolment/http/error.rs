//! How the errors of enrolments travel.

use crate::{
    enrolment::EnrolmentError,
    http::error::{ApiError, Code},
};

impl From<EnrolmentError> for ApiError {
    fn from(error: EnrolmentError) -> Self {
        let text = error.to_string();
        match error {
            EnrolmentError::Invalid => Self::new(Code::EnrollmentInvalid, text),
            EnrolmentError::Drawing(cause) => Self::internal(&cause),
            EnrolmentError::Client(inner) => inner.into(),
            EnrolmentError::Database(cause) => cause.into(),
        }
    }
}
