//! Bodies with photos in them: room is taken before the first byte is read, and the bytes are wiped
//! when the last who looks at them is done.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::Instant;
use zeroize::Zeroize;

use crate::{
    http::error::{ApiError, ApiResult, Code, overloaded},
    platform::shares::{Holder, Share, Shares},
};

/// How long a body may take: a photo of 12 MB over a slow line.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// Nothing may come for so long; from then on the body must have come at [`SLOWEST`] on average.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes a second: a slow phone line has several times as much.
const SLOWEST: u64 = 8 * 1024;

/// The bytes of an upload and the room they take. Both end with the last [`Bytes`] made of it, also
/// when the request was given up and a worker still looks at a photo.
struct Kept {
    bytes: Vec<u8>,
    _room: Share,
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
/// 1039 beyond the limit; 5003 when uploads already fill the memory set aside, or the part of it that one of
/// the holders may have; 1006 for a body that breaks off, stalls or takes too long.
pub async fn upload(
    uploads: &Arc<Shares>,
    holders: &[Holder],
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
    let taken = uploads.take(room.div_ceil(1024), holders);
    let mut kept = Kept {
        _room: taken.ok_or_else(overloaded)?,
        // Never grown, so no copy is left behind.
        bytes: Vec::with_capacity(room),
    };
    match tokio::time::timeout(LONGEST, fill(&mut kept.bytes, body)).await {
        Ok(filled) => filled.map(|()| Bytes::from_owner(kept)),
        Err(_) => Err(too_slow()),
    }
}

fn too_slow() -> ApiError {
    ApiError::invalid("body", "took too long").with_status(StatusCode::REQUEST_TIMEOUT)
}

async fn fill(bytes: &mut Vec<u8>, mut body: Body) -> ApiResult<()> {
    let begun = Instant::now();
    loop {
        let next = tokio::time::timeout(PATIENCE, body.frame());
        let Some(frame) = next.await.map_err(|_| too_slow())? else {
            return Ok(());
        };
        let frame = frame.map_err(|_| ApiError::invalid("body", "broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > bytes.capacity() - bytes.len() {
            return Err(image_too_large());
        }
        bytes.extend_from_slice(&data);
        let taken = begun.elapsed();
        if taken > PATIENCE && (bytes.len() as u64) < SLOWEST * taken.as_secs() {
            return Err(too_slow());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(length: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, length.parse().unwrap())])
    }

    #[tokio::test]
    async fn room_is_given_back_with_the_last_of_the_bytes() {
        let uploads = Shares::of(100);
        let body = || Body::from(vec![7; 50_000]);
        let headers = announced("50000");
        let whole = upload(&uploads, &[], &headers, body(), 80_000)
            .await
            .unwrap();
        assert_eq!(uploads.left(), 51);
        let part = whole.slice(10..20);
        drop(whole);
        assert_eq!(uploads.left(), 51);
        let refused = upload(&uploads, &[], &HeaderMap::new(), body(), 80_000).await;
        assert_eq!(refused.unwrap_err().code(), Code::Overloaded);
        drop(part);
        assert_eq!(uploads.left(), 100);
        let whole = upload(&uploads, &[], &HeaderMap::new(), body(), 80_000).await;
        assert_eq!(whole.unwrap().len(), 50_000);
        assert_eq!(uploads.left(), 100);
    }

    #[tokio::test]
    async fn more_than_was_announced_or_allowed_is_too_large() {
        let uploads = Shares::of(100);
        for (headers, limit) in [
            (announced("40000"), 40_001),
            (announced("40002"), 40_001),
            (HeaderMap::new(), 40_001),
        ] {
            let body = Body::from(vec![7; 40_002]);
            let refused = upload(&uploads, &[], &headers, body, limit).await;
            assert_eq!(refused.unwrap_err().code(), Code::ImageTooLarge);
        }
        assert_eq!(uploads.left(), 100);
    }

    /// A body that sends so many bytes at a time, so far apart, and never ends.
    fn drip(size: usize, every: Duration) -> Body {
        let drops = futures_util::stream::unfold((), move |()| async move {
            tokio::time::sleep(every).await;
            Some((Ok::<_, std::convert::Infallible>(vec![7; size]), ()))
        });
        Body::from_stream(drops)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_drips_gives_its_room_back_soon() {
        let uploads = Shares::of(100_000);
        for (size, every) in [(1, 60), (1, 5), (1000, 1)] {
            let begun = Instant::now();
            let body = drip(size, Duration::from_secs(every));
            let refused = upload(&uploads, &[], &HeaderMap::new(), body, 1 << 24).await;
            assert_eq!(refused.unwrap_err().code(), Code::InvalidParameter);
            assert!(begun.elapsed() < Duration::from_secs(20), "{size} {every}");
            assert_eq!(uploads.left(), 100_000);
        }
        // A slow phone has the minute.
        let body = drip(10_000, Duration::from_secs(1));
        let begun = Instant::now();
        let refused = upload(&uploads, &[], &HeaderMap::new(), body, 1 << 24).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidParameter);
        assert!(begun.elapsed() >= LONGEST);
    }
}
