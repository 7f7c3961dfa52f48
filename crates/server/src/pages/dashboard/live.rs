//! Pages that follow what happens: their script asks for them again and again, is answered with nothing while
//! nothing has changed, and puts what is new in the place of what it shows. Whoever has no script reloads.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use sha2::{Digest, Sha256};

use crate::{http::request::header_text, pages::visit::WATCHING};

/// What the page's script shows; of a person's visit, nothing.
pub struct Live(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Live {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let shown = header_text(&parts.headers, WATCHING.as_str());
        Ok(Self(shown.map(str::to_owned)))
    }
}

impl Live {
    /// The answer for a script that shows this version already.
    #[must_use]
    pub fn unchanged(&self, version: &str) -> Option<Response> {
        let is_shown = self.0.as_deref() == Some(version);
        is_shown.then(|| StatusCode::NO_CONTENT.into_response())
    }
}

/// Names what a page shows, by whatever of it can change, to its last row.
#[must_use]
pub fn version(shown: &impl std::fmt::Debug) -> String {
    hex::encode(&Sha256::digest(format!("{shown:?}"))[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_the_last_row_is_another_version() {
        let mut rows = vec!["a row of a page, as it is kept".repeat(30); 50];
        let shown = version(&rows);
        assert_eq!(shown, version(&rows.clone()));
        rows[49].push('.');
        assert_ne!(shown, version(&rows));
    }
}
