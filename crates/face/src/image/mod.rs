//! Image bytes to pixels, within limits.
//!
//! Whatever comes in, what goes out is 8-bit RGB, upright, at most [`WORKING_SIDE`] pixels wide and
//! high. Limits are checked against the header before any pixel is decoded. Metadata and colour
//! profiles are dropped. The parsers below read hostile bytes: they are safe Rust throughout, and a
//! panic in one of them counts as an unreadable photo.

mod exif;
mod frame;
mod jpeg;
mod orient;
mod pixels;
mod png;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use frame::Framed;
pub(crate) use pixels::Image;

use crate::PhotoError;

/// Longest side of a decoded photo, in pixels; larger ones are scaled down at once. A face that takes
/// a fifteenth of such a photo still has the pixels the recognition network wants.
const WORKING_SIDE: usize = 2048;

/// What one photo may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub bytes: usize,
    /// Width times height.
    pub pixels: u64,
    /// Memory to decode into, in bytes: pixels and what the format needs besides.
    pub memory: u64,
}

impl Default for Limits {
    /// 12 MB and 50 megapixels cover every phone's normal mode; 256 MiB is enough for the 50
    /// megapixels of a plain JPEG (150 MB) or PNG with alpha (200 MB).
    fn default() -> Self {
        Self {
            bytes: 12_000_000,
            pixels: 50_000_000,
            memory: 256 << 20,
        }
    }
}

impl Limits {
    /// Refuses a picture of this size before it is decoded; `memory` is the decoder's need in bytes.
    fn check(&self, width: u64, height: u64, memory: u64) -> Result<(), PhotoError> {
        if width == 0 || height == 0 {
            Err(PhotoError::Unsupported)
        } else if width * height > self.pixels || memory > self.memory {
            Err(PhotoError::TooLarge)
        } else {
            Ok(())
        }
    }
}

/// The formats told apart, by their first bytes; names and content types are never believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
}

fn sniff(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some(Format::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else {
        None
    }
}

/// Decodes a photo: sniffed, checked against `limits`, turned upright, scaled to the working size.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Image, PhotoError> {
    if bytes.len() > limits.bytes {
        return Err(PhotoError::TooLarge);
    }
    let format = sniff(bytes).ok_or(PhotoError::Unsupported)?;
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_as(format, bytes, limits)));
    decoded.unwrap_or(Err(PhotoError::Unsupported))
}

fn decode_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Image, PhotoError> {
    let (image, orientation) = match format {
        Format::Jpeg => jpeg::decode(bytes, limits)?,
        Format::Png => png::decode(bytes, limits)?,
    };
    let image = image.shrunk_to(WORKING_SIDE)?;
    Ok(orientation.upright(image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Some(Format::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Some(Format::Png));
        for other in [
            &b""[..],
            b"\xFF\xD8",
            b"RIFF....WEBP",
            b"....ftypheic",
            b"GIF89a",
            b"hello",
        ] {
            assert_eq!(sniff(other), None);
            assert_eq!(
                decode(other, &Limits::default()).err(),
                Some(PhotoError::Unsupported)
            );
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

/// The decoders without the net that turns a panic into `Unsupported`: here a panic is a failure.
#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    /// A real photo, as small as they come.
    fn photo() -> Vec<u8> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/build/demo-faces/person5/02.jpg"
        );
        std::fs::read(path).expect("run `make models`")
    }

    /// A small picture of every kind of row filter.
    fn drawing() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut bytes, 64, 48);
        encoder.set_color(::png::ColorType::Rgba);
        encoder.set_filter(::png::Filter::Adaptive);
        let data: Vec<u8> = (0..64 * 48 * 4).map(|i: u32| (i * i / 97) as u8).collect();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&data)
            .unwrap();
        bytes
    }

    fn mutated(
        mut bytes: Vec<u8>,
        changes: Vec<(prop::sample::Index, u8)>,
        cut: prop::sample::Index,
    ) -> Vec<u8> {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        // Every other time the end is missing as well.
        let keep = cut.index(2 * bytes.len());
        bytes.truncate(keep.max(16));
        bytes
    }

    fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn jpeg(changes in changes(), cut: prop::sample::Index) {
            let _ = decode_as(Format::Jpeg, &mutated(photo(), changes, cut), &Limits::default());
        }

        /// Changes in the headers, where they matter most.
        #[test]
        fn jpeg_headers(changes in prop::collection::vec((2_usize..620, any::<u8>()), 1..6)) {
            let mut bytes = photo();
            changes.into_iter().for_each(|(at, value)| bytes[at] = value);
            let _ = decode_as(Format::Jpeg, &bytes, &Limits::default());
        }

        #[test]
        fn png(changes in changes(), cut: prop::sample::Index) {
            let _ = decode_as(Format::Png, &mutated(drawing(), changes, cut), &Limits::default());
        }

        #[test]
        fn anything(png: bool, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let (format, start): (_, &[u8]) =
                if png { (Format::Png, b"\x89PNG\r\n\x1a\n") } else { (Format::Jpeg, b"\xFF\xD8\xFF") };
            let _ = decode_as(format, &[start, &bytes].concat(), &Limits::default());
            let _ = exif::orientation(&bytes);
        }
    }
}
