//! Forms, read within limits.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use serde::de::DeserializeOwned;

use crate::{
    http::{
        error::ApiError,
        extract::{self, JSON_LIMIT},
        request::body_too_large,
    },
    platform::state::Shared,
};

/// What a form's fields hold. It comes after the guard, which runs before any of the body is read.
pub struct Fields<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Fields<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await?;
        let request = Request::from_parts(parts, Body::from(body));
        let read = axum::Form::from_request(request, state).await;
        read.map(|axum::Form(fields)| Self(fields))
            .map_err(|error| ApiError::invalid("form", error.body_text()))
    }
}
