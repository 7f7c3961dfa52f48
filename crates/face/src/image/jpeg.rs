//! JPEG: baseline and progressive.
//!
//! Before any pixel is decoded the whole file is walked marker by marker. That tells its size, how
//! much memory it takes, how many passes over the picture it asks for, how the camera was held, and
//! whether it is complete.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::orient::Orientation;
use super::{Image, Limits, exif};
use crate::PhotoError;

/// Scans times pixels a file may ask for. Cameras and tools write about ten scans; a bomb writes
/// hundreds over a large picture to burn time.
const MAX_WORK: u64 = 600_000_000;
/// And never more scans than this.
const MAX_SCANS: u64 = 100;
/// What begins an EXIF segment.
const EXIF: &[u8] = b"Exif\0\0";

/// Decodes the picture.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(Image, Orientation), PhotoError> {
    let outline = Outline::read(bytes).ok_or(PhotoError::Unsupported)?;
    limits.check(outline.width, outline.height, outline.memory())?;
    if outline.scans > MAX_SCANS || outline.scans * outline.width * outline.height > MAX_WORK {
        return Err(PhotoError::TooLarge);
    }
    let options = DecoderOptions::default()
        .set_max_width(outline.width as usize)
        .set_max_height(outline.height as usize)
        .set_strict_mode(false)
        .jpeg_set_max_scans(MAX_SCANS as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let data = decoder.decode().map_err(|_| PhotoError::Unsupported)?;
    let image = Image::new(outline.width as usize, outline.height as usize, data);
    Ok((image.ok_or(PhotoError::Unsupported)?, outline.orientation))
}

/// What the markers say.
#[derive(Debug, PartialEq)]
struct Outline {
    width: u64,
    height: u64,
    /// Samples of all components, counted in 64ths of a pixel's worth.
    samples: u64,
    scans: u64,
    progressive: bool,
    orientation: Orientation,
}

impl Outline {
    /// Bytes to decode into: the RGB pixels, and all coefficients if there is more than one scan.
    fn memory(&self) -> u64 {
        let pixels = (self.width + 64) * (self.height + 64);
        let coefficients = if self.progressive || self.scans > 1 {
            self.samples * 2
        } else {
            0
        };
        pixels * 3 + coefficients
    }

    /// Walks the markers from start to end; `None` if they make no complete picture.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
        let mut frame: Option<Self> = None;
        let mut orientation = Orientation::default();
        loop {
            let marker;
            (marker, rest) = next_marker(rest)?;
            match marker {
                0xD9 => break,
                0x01 | 0xD0..=0xD8 => continue,
                _ => {}
            }
            let segment;
            (segment, rest) = split_segment(rest)?;
            match marker {
                0xE1 => {
                    if let Some(tiff) = segment.strip_prefix(EXIF) {
                        orientation = exif::orientation(tiff);
                    }
                }
                0xC0..=0xC2 if frame.is_none() => frame = Some(Self::frame(marker, segment)?),
                // A second frame, or one of the kinds nobody uses: lossless, arithmetic, hierarchical.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return None,
                0xDA => frame.as_mut()?.scans += 1,
                _ => {}
            }
        }
        frame
            .filter(|f| f.scans > 0)
            .map(|f| Self { orientation, ..f })
    }

    /// Reads a frame header: precision, height, width, then id, sampling and table per component.
    fn frame(marker: u8, segment: &[u8]) -> Option<Self> {
        let (&[precision, h1, h0, w1, w0, count], components) = segment.split_first_chunk()?;
        let known = precision == 8 && matches!(count, 1 | 3 | 4);
        if !known || components.len() != usize::from(count) * 3 {
            return None;
        }
        let sampling = components
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[_, s, _]| (u64::from(s >> 4), u64::from(s & 15)));
        let (mut across, mut down, mut blocks) = (1, 1, 0);
        for (h, v) in sampling {
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
                return None;
            }
            (across, down, blocks) = (across.max(h), down.max(v), blocks + h * v);
        }
        let width = u64::from(u16::from_be_bytes([w1, w0]));
        let height = u64::from(u16::from_be_bytes([h1, h0]));
        let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        Some(Self {
            width,
            height,
            samples: units * blocks * 64,
            scans: 0,
            progressive: marker == 0xC2,
            orientation: Orientation::default(),
        })
    }
}

/// Skips to the next marker: its code and what follows. Stuffed zeros and restarts belong to the data.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|b| *b == 0xFF)?;
        let (&code, rest) = bytes.get(at + 1..)?.split_first()?;
        match code {
            0x00 | 0xD0..=0xD7 => bytes = rest,
            0xFF => bytes = &bytes[at + 1..],
            _ => return Some((code, rest)),
        }
    }
}

/// A segment's content and what follows it.
fn split_segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(marker: u8, width: u16, height: u16, sampling: [u8; 3], scans: usize) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, marker, 0, 17, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, sampling[0], 0, 2, sampling[1], 1, 3, sampling[2], 1]);
        for _ in 0..scans {
            bytes.extend([0xFF, 0xDA, 0, 2, 0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56]);
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    #[test]
    fn the_outline_is_read_without_decoding() {
        let outline = Outline::read(&header(0xC2, 640, 480, [0x22, 0x11, 0x11], 9)).unwrap();
        assert_eq!(
            (outline.width, outline.height, outline.scans),
            (640, 480, 9)
        );
        assert!(outline.progressive);
        assert_eq!(outline.samples, 640 * 480 * 3 / 2);
    }

    #[test]
    fn large_pictures_are_refused_unread() {
        let refused = |bytes: &[u8]| decode(bytes, &Limits::default()).err();
        let full = [0x11; 3];
        assert_eq!(
            refused(&header(0xC0, 60_000, 60_000, full, 1)),
            Some(PhotoError::TooLarge)
        );
        // 48 megapixels: progressive without subsampling takes nine bytes a pixel, plain three.
        assert_eq!(
            refused(&header(0xC2, 8000, 6000, full, 3)),
            Some(PhotoError::TooLarge)
        );
        assert_eq!(
            refused(&header(0xC0, 8000, 6000, full, 1)),
            Some(PhotoError::Unsupported)
        );
        assert_eq!(
            refused(&header(0xC2, 4000, 3000, full, 90)),
            Some(PhotoError::TooLarge)
        );
    }

    #[test]
    fn incomplete_or_odd_files_have_no_outline() {
        let good = header(0xC0, 64, 64, [0x11; 3], 1);
        for end in 0..good.len() {
            assert_eq!(Outline::read(&good[..end]), None, "cut at {end}");
        }
        assert_eq!(Outline::read(&header(0xC3, 64, 64, [0x11; 3], 1)), None);
        assert_eq!(Outline::read(&header(0xC0, 64, 64, [0x01; 3], 1)), None);
        assert_eq!(Outline::read(&header(0xC0, 64, 64, [0x11; 3], 0)), None);
    }
}
