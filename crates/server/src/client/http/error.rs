//! How the errors of clients travel.

use serde_json::json;

use crate::{
    client::ClientError,
    http::error::{ApiError, Code},
};

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
            ClientError::Database(cause) => cause.into(),
        }
    }
}
