//! Bodies with photos in them: room is taken before the first byte is read, and the bytes are wiped
//! when the last who looks at them is done.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroize;

use crate::http::error::{ApiError, ApiResult, Code, overloaded};

/// How long a body may take: a photo of 12 MB over a slow line.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// The bytes of an upload and the room they take. Both end with the last [`Bytes`] made of it, also
/// when the request was given up and a worker still looks at a photo.
struct Kept {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Not what was only set aside: it was never written, and never took memory.
        self.bytes.as_mut_slice().zeroize();
    }
}

/// An upload that is no usable form: 1039.
#[must_use]
pub fn image_too_large() -> ApiError {
    ApiError::new(Code::ImageTooLarge, "the upload is too large")
}

/// Reads a body of at most `limit` bytes into room of its announced length, or of `limit` where none
/// is announced.
///
/// # Errors
/// 1039 beyond the limit; 5003 when uploads already fill the memory set aside; 1006 for a body that
/// breaks off or takes too long.
pub async fn upload(
    uploads: &Arc<Semaphore>,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> ApiResult<Bytes> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(image_too_large());
    }
    let room = announced.unwrap_or(limit);
    let kibibytes = u32::try_from(room.div_ceil(1024)).unwrap_or(u32::MAX);
    let permits = uploads.clone().try_acquire_many_owned(kibibytes);
    let mut kept = Kept {
        _room: permits.map_err(|_| overloaded())?,
        // Never grown, so no copy is left behind.
        bytes: Vec::with_capacity(room),
    };
    match tokio::time::timeout(LONGEST, fill(&mut kept.bytes, body)).await {
        Ok(filled) => filled.map(|()| Bytes::from_owner(kept)),
        Err(_) => {
            Err(ApiError::invalid("body", "took too long").with_status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

async fn fill(bytes: &mut Vec<u8>, mut body: Body) -> ApiResult<()> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::invalid("body", "broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > bytes.capacity() - bytes.len() {
            return Err(image_too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(length: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, length.parse().unwrap())])
    }

    #[tokio::test]
    async fn room_is_given_back_with_the_last_of_the_bytes() {
        let uploads = Arc::new(Semaphore::new(100));
        let body = || Body::from(vec![7; 50_000]);
        let headers = announced("50000");
        let whole = upload(&uploads, &headers, body(), 80_000).await.unwrap();
        assert_eq!(uploads.available_permits(), 51);
        let part = whole.slice(10..20);
        drop(whole);
        assert_eq!(uploads.available_permits(), 51);
        let refused = upload(&uploads, &HeaderMap::new(), body(), 80_000).await;
        assert_eq!(refused.unwrap_err().code(), Code::Overloaded);
        drop(part);
        assert_eq!(uploads.available_permits(), 100);
        let whole = upload(&uploads, &HeaderMap::new(), body(), 80_000).await;
        assert_eq!(whole.unwrap().len(), 50_000);
        assert_eq!(uploads.available_permits(), 100);
    }

    #[tokio::test]
    async fn more_than_was_announced_or_allowed_is_too_large() {
        let uploads = Arc::new(Semaphore::new(100));
        for (headers, limit) in [
            (announced("40000"), 40_001),
            (announced("40002"), 40_001),
            (HeaderMap::new(), 40_001),
        ] {
            let body = Body::from(vec![7; 40_002]);
            let refused = upload(&uploads, &headers, body, limit).await;
            assert_eq!(refused.unwrap_err().code(), Code::ImageTooLarge);
        }
        assert_eq!(uploads.available_permits(), 100);
    }
}
