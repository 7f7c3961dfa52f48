//! Bodies, read within limits and refused with the name of what is wrong.

mod multipart;
mod upload;

use std::fmt;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, Visitor},
};
use utoipa::ToSchema;
use uuid::Uuid;

use self::upload::LONGEST;
pub use self::upload::{image_too_large, upload};
use crate::{
    http::{
        error::{ApiError, ApiResult},
        request::body_too_large,
    },
    platform::state::Shared,
};

/// Largest JSON body, bytes.
pub const JSON_LIMIT: usize = 64 * 1024;

/// Bytes that a single photo may have.
pub const PHOTO_LIMIT: usize = 12 * 1024 * 1024;

/// Largest multipart body, bytes: a phone's frames are small, one photo may be large.
pub const FORM_LIMIT: usize = 48 * 1024 * 1024;

/// Most parts of a form: twelve frames, the answer, and some to spare.
const MOST_PARTS: usize = 16;

/// The envelope of every answer that is a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reply<T> {
    success: bool,
    data: T,
}

/// What a handler of a JSON route returns.
pub type Replied<T> = ApiResult<axum::Json<Reply<T>>>;

/// Wraps `data` in the success envelope.
pub fn reply<T: Serialize>(data: T) -> axum::Json<Reply<T>> {
    axum::Json(Reply {
        success: true,
        data,
    })
}

/// A JSON body, whatever its content type says: older integrations send none.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, ApiError> {
        let body = read(request.into_body(), JSON_LIMIT, || {
            body_too_large(JSON_LIMIT)
        })
        .await?;
        parse_json(&body).map(Self)
    }
}

/// A query, refused in the envelope.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| {
                let text = error.body_text();
                let field = text
                    .split_once("duplicate field `")
                    .and_then(|(_, rest)| rest.split('`').next());
                match field {
                    Some(field) => ApiError::invalid(field, "is there twice"),
                    None => ApiError::invalid("query", "cannot be read"),
                }
            })
    }
}

/// The id in the path of a route `…/{id}`.
pub struct PathId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(id)| Self(id))
            .map_err(|_| ApiError::invalid("id", "is not a UUID"))
    }
}

/// Parses a body; an empty one counts as `{}`, so that what is missing is named.
///
/// # Errors
/// 1006 naming the field.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    let body = if body.is_empty() { b"{}" } else { body };
    if let Some(what) = not_plain(body) {
        return Err(ApiError::invalid("body", what));
    }
    // Serde would take an array for the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::invalid("body", "is not a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.inner().to_string();
        match missing_field(&reason) {
            Some(field) => ApiError::invalid(field, "is missing"),
            None if path == "." => ApiError::invalid("body", plain(&reason)),
            None => ApiError::invalid(&path, plain(&reason)),
        }
    })?;
    reader
        .end()
        .map_err(|_| ApiError::invalid("body", "has something after the JSON"))?;
    Ok(value)
}

/// A client's id as sites write it: what is none in any form is nobody's (the nil UUID), so that it
/// is answered as a client that is not known.
///
/// # Errors
/// For what is neither a text nor a number.
pub fn any_id<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
    struct Id;
    impl Visitor<'_> for Id {
        type Value = Uuid;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a client's id")
        }

        fn visit_str<E>(self, text: &str) -> Result<Uuid, E> {
            Ok(id_in(text))
        }

        fn visit_i64<E>(self, _: i64) -> Result<Uuid, E> {
            Ok(Uuid::nil())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Uuid, E> {
            Ok(Uuid::nil())
        }
    }
    from.deserialize_any(Id)
}

/// The same from a form's text; capitals do not matter.
#[must_use]
pub fn id_in(text: &str) -> Uuid {
    text.trim().parse().unwrap_or_default()
}

/// Names what stands before the JSON, where something does.
fn not_plain(body: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (
            b"\xef\xbb\xbf",
            "begins with a byte order mark; send UTF-8 without one",
        ),
        (b"\xff\xfe", "is UTF-16; send UTF-8"),
        (b"\xfe\xff", "is UTF-16; send UTF-8"),
        (b"\x1f\x8b", "is compressed with gzip; send it as it is"),
    ];
    let mark = MARKS.iter().find(|(mark, _)| body.starts_with(mark))?;
    Some(mark.1)
}

fn missing_field(reason: &str) -> Option<&str> {
    reason.strip_prefix("missing field `")?.split('`').next()
}

/// The reason without its position, and without any value: a wrong value may be a secret.
fn plain(reason: &str) -> String {
    let reason = reason.split(" at line ").next().unwrap_or(reason);
    let echoes = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
    ];
    if !echoes.iter().any(|echo| reason.starts_with(echo)) {
        return reason.to_owned();
    }
    match reason.split_once(", expected ") {
        Some((_, "u32" | "i32" | "u64" | "i64")) => "must be a whole number".to_owned(),
        Some((_, expected)) => format!("is not what is expected: {expected}"),
        None => "is not what is expected".to_owned(),
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// `too_large()` beyond the limit; 1006 for a body that breaks off.
pub async fn read(
    body: Body,
    limit: usize,
    too_large: impl FnOnce() -> ApiError,
) -> ApiResult<Bytes> {
    // An announced length is believed at once: the client need not send in vain.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let whole = tokio::time::timeout(LONGEST, Limited::new(body, limit).collect());
    let Ok(whole) = whole.await else {
        return Err(
            ApiError::invalid("body", "took too long").with_status(StatusCode::REQUEST_TIMEOUT)
        );
    };
    match whole {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(_) => Err(ApiError::invalid("body", "broke off")),
    }
}

/// A multipart form, read whole.
pub struct Form {
    parts: Vec<(String, Bytes)>,
}

impl Form {
    /// Reads a form whose bytes are already here; its parts share them.
    ///
    /// # Errors
    /// 1006 for a broken form, 1039 for a part over [`PHOTO_LIMIT`].
    pub fn parse(headers: &HeaderMap, body: &Bytes) -> ApiResult<Self> {
        let broken = |reason: String| ApiError::invalid("body", reason);
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let boundary = multipart::boundary(content_type)
            .ok_or_else(|| broken("is not multipart/form-data with a boundary".to_owned()))?;
        let mut parts: Vec<(String, Bytes)> = Vec::new();
        for part in multipart::parts(body, &boundary, MOST_PARTS).map_err(broken)? {
            if part.content.len() > PHOTO_LIMIT {
                return Err(image_too_large());
            }
            if parts.iter().any(|(other, _)| *other == part.name) {
                return Err(ApiError::invalid(&part.name, "is there twice"));
            }
            parts.push((part.name, body.slice(part.content)));
        }
        Ok(Self { parts })
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// 1006 when it is missing or empty.
    pub fn bytes(&self, name: &str) -> ApiResult<Bytes> {
        match self.parts.iter().find(|(part, _)| part == name) {
            Some((_, bytes)) if bytes.is_empty() => Err(ApiError::invalid(name, "is empty")),
            Some((_, bytes)) => Ok(bytes.clone()),
            None => Err(ApiError::invalid(name, "is missing")),
        }
    }

    /// A part as text.
    ///
    /// # Errors
    /// 1006 when it is missing, empty or not UTF-8.
    pub fn text(&self, name: &str) -> ApiResult<String> {
        String::from_utf8(self.bytes(name)?.to_vec())
            .map_err(|_| ApiError::invalid(name, "is not text"))
    }

    /// A part as JSON.
    ///
    /// # Errors
    /// 1006 when it is missing, empty or not what is expected.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> ApiResult<T> {
        let bytes = self.bytes(name)?;
        if bytes.len() > JSON_LIMIT {
            return Err(ApiError::invalid(name, "is too large"));
        }
        parse_json(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Probe {
        #[allow(dead_code, reason = "only parsed")]
        id: uuid::Uuid,
    }

    fn complaint(body: &str) -> String {
        format!("{:?}", parse_json::<Probe>(body.as_bytes()).unwrap_err())
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not() {
        assert!(complaint("").contains("id: is missing"));
        assert!(complaint("{}").contains("id: is missing"));
        assert!(complaint("{\"id\":").contains("\"field\": String(\"id\")"));
        assert!(complaint("[").contains("body"));
        let wrong = complaint("{\"id\":\"sk_secret\"}");
        assert!(wrong.contains("\"id\""), "{wrong}");
        assert!(!complaint("{\"id\":12345678}").contains("12345678"));
    }
}
