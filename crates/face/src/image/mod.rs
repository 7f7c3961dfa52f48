//! Image bytes to pixels, within limits.
//!
//! Whatever comes in, what goes out is 8-bit RGB, upright, at most [`Limits::side`] pixels wide and
//! high. Metadata and colour profiles are dropped: faces are compared by shape, and a profile is one
//! more parser of hostile bytes. Places a picture lets shine through become white. Animations are
//! refused: a photo is a still, and the first frame of a film is not what its sender sees.
//!
//! Every format goes the same way ([`Photo`]): its headers are read and tell what the pixels are
//! going to take; [`Limits`] say whether they may; only then is anything decoded, and scaled down
//! as early as the format allows. The parsers read hostile bytes: ours are safe Rust throughout, and
//! a panic in a library counts as an unreadable photo.

mod exif;
mod format;
mod frame;
#[cfg(feature = "heic")]
mod heic;
#[cfg(test)]
mod hostile;
mod jpeg;
mod limits;
mod orient;
mod pixels;
mod png;
mod rows;
mod webp;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use format::Format;
pub(crate) use frame::{Framed, View};
pub use limits::Limits;
pub(crate) use sight::Image;

use crate::PhotoError;
use limits::Cost;
use orient::Orientation;

/// A photo whose headers were read and whose pixels were not. One for each format; behind it stands
/// a library that may be exchanged.
trait Photo<'a>: Sized {
    /// Reads the headers, and as much of the rest as tells whether the file is whole. Allocates
    /// little, whatever the file claims.
    ///
    /// # Errors
    /// [`PhotoError::Unsupported`] for anything that is not a whole photo of this format.
    fn open(bytes: &'a [u8]) -> Result<Self, PhotoError>;

    /// What the pixels are going to take when at most `side` of them are wanted along the longer
    /// side.
    fn cost(&self, limits: &Limits) -> Cost;

    /// How the stored picture must be turned to stand upright.
    fn orientation(&self) -> Orientation;

    /// The pixels, not yet turned; scaled down towards [`Limits::side`] as far as the format makes
    /// that cheap.
    ///
    /// # Errors
    /// [`PhotoError::Unsupported`] when they are damaged.
    fn decode(self, limits: &Limits) -> Result<Image, PhotoError>;
}

/// Decodes a photo: told by its first bytes, checked against `limits`, scaled down, turned upright.
///
/// # Errors
/// [`PhotoError::TooLarge`] beyond the limits, [`PhotoError::Unsupported`] for what is no photo, is
/// damaged, or moves.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Image, PhotoError> {
    if bytes.len() > limits.bytes {
        return Err(PhotoError::TooLarge);
    }
    let format = Format::of(bytes).ok_or(PhotoError::Unsupported)?;
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_as(format, bytes, limits)));
    decoded.unwrap_or(Err(PhotoError::Unsupported))
}

fn decode_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Image, PhotoError> {
    match format {
        Format::Jpeg => finish(jpeg::Jpeg::open(bytes)?, limits),
        Format::Png => finish(png::Png::open(bytes)?, limits),
        Format::WebP => finish(webp::WebP::open(bytes)?, limits),
        #[cfg(feature = "heic")]
        Format::Heic => finish(heic::Heic::open(bytes)?, limits),
        #[cfg(not(feature = "heic"))]
        Format::Heic => Err(PhotoError::Unsupported),
    }
}

fn finish<'a>(photo: impl Photo<'a>, limits: &Limits) -> Result<Image, PhotoError> {
    limits.check(photo.cost(limits))?;
    let orientation = photo.orientation();
    let image = photo.decode(limits)?.shrunk_to(limits.side)?;
    Ok(orientation.upright(image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_photo_is_refused() {
        for other in [&b""[..], b"\xFF\xD8", b"GIF89a", b"hello"] {
            let refused = decode(other, &Limits::default()).err();
            assert_eq!(refused, Some(PhotoError::Unsupported));
        }
    }

    #[test]
    fn too_many_bytes_are_refused_unread() {
        let limits = Limits {
            bytes: 3,
            ..Limits::default()
        };
        assert_eq!(
            decode(b"\xFF\xD8\xFF\xE0", &limits).err(),
            Some(PhotoError::TooLarge)
        );
    }
}
