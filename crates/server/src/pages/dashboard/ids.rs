//! What else a path names beside its site.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use uuid::Uuid;

use crate::{
    http::error::{ApiError, ApiResult},
    platform::state::Shared,
};

/// The ids in a path, by their names. Whatever they name is looked for on the guard's site.
pub struct Ids(HashMap<String, String>);

impl FromRequestParts<Shared> for Ids {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let read = Path::from_request_parts(parts, state).await;
        read.map(|Path(names)| Self(names))
            .map_err(|_| ApiError::invalid("path", "cannot be read"))
    }
}

impl Ids {
    /// The id of this name.
    ///
    /// # Errors
    /// Where it is none.
    pub fn get(&self, name: &str) -> ApiResult<Uuid> {
        let id = self.0.get(name).and_then(|text| text.parse().ok());
        id.ok_or_else(|| ApiError::invalid(name, "is not a UUID"))
    }
}
