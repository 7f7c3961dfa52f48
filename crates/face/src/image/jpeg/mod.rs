//! JPEG: baseline and progressive.
//!
//! Before any pixel is decoded the whole file is walked marker by marker ([`outline`]). That tells
//! its size, how much memory it takes, how many passes over the picture it asks for, how the camera
//! was held, and whether it is complete.
//!
//! Two libraries decode. `zune-jpeg` is the faster one at full size. A photo that is larger than
//! what is wanted goes to `jpeg-decoder`, which can leave the fine half (or three quarters) of the
//! picture away while it decodes: 12 megapixels then take 15 MB instead of 37, and 50 take 16
//! instead of 151. It also gets the two kinds of files that `zune-jpeg` 0.5.15 reads wrongly, without a word:
//! several scans that are not progressive, and brightness with fewer samples than a colour.

#[cfg(test)]
mod kinds;
mod outline;

use std::io::Cursor;

use jpeg_decoder::{Decoder, PixelFormat};
use zeroize::Zeroizing;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::orient::Orientation;
use super::pixels::{grays, shrinking};
use super::{Cost, Image, Limits, Photo};
use crate::PhotoError;
use outline::Outline;

/// Scans times pixels a file may ask for. Cameras and tools write about ten scans; a bomb writes
/// hundreds over a large picture to burn time.
const MAX_WORK: u64 = 600_000_000;
/// Bytes put behind a file without an end, to see whether anything was still to come.
const TAIL: usize = 4096;
/// And never more scans than this.
const MAX_SCANS: u64 = 100;

/// A JPEG file whose outline was read.
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    outline: Outline,
}

impl<'a> Photo<'a> for Jpeg<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, PhotoError> {
        let outline = Outline::read(bytes).ok_or(PhotoError::Unsupported)?;
        if outline.scans > MAX_SCANS || outline.scans * outline.width * outline.height > MAX_WORK {
            return Err(PhotoError::TooLarge);
        }
        Ok(Self { bytes, outline })
    }

    fn cost(&self, limits: &Limits) -> Cost {
        let mut memory = match self.eighths(limits) {
            Some(eighths) => self.scaled_memory(eighths, limits.side),
            None => self.full_memory(limits.side),
        };
        if !self.outline.ended {
            // The file with an end, and the picture that the second decoding is compared with.
            let picture = (self.outline.width + 64) * (self.outline.height + 64) * 3;
            memory += picture + (self.bytes.len() + TAIL) as u64;
        }
        Cost {
            width: self.outline.width,
            height: self.outline.height,
            memory,
        }
    }

    fn orientation(&self) -> Orientation {
        self.outline.orientation
    }

    fn decode(self, limits: &Limits) -> Result<Image, PhotoError> {
        let eighths = self.eighths(limits);
        if self.outline.ended {
            return self.decode_from(self.bytes, eighths);
        }
        // What decoders make of missing bits differs from what they make of other bits: if all pixels are
        // there, nothing depends on what follows.
        let whole = self.decode_from(&self.with_tail(&[]), eighths)?;
        let other = self.decode_from(&self.with_tail(&[0x5A; TAIL - 2]), eighths)?;
        if whole.data() == other.data() {
            Ok(whole)
        } else {
            Err(PhotoError::Unsupported)
        }
    }
}

impl Jpeg<'_> {
    /// How much of the picture is decoded, in eighths of its width and height, if not all of it: the
    /// least that is not visibly below the side that is wanted. Phones' 4032 pixels then become 2016.
    fn eighths(&self, limits: &Limits) -> Option<u64> {
        let outline = &self.outline;
        let longer = outline.width.max(outline.height);
        let least = limits.side as u64 / 16 * 15;
        // Four components are for print; the library leaves their colours to its caller.
        let scalable = outline.components != 4 && longer > limits.side as u64;
        let eighths = [1, 2, 4].into_iter().find(|e| longer * e / 8 >= least);
        let eighths = eighths.filter(|eighths| {
            let takes = self.scaled_memory(*eighths, limits.side);
            let affordable = takes <= limits.memory || takes <= self.full_memory(limits.side);
            scalable && (affordable || self.is_odd())
        });
        eighths.or(self.is_odd().then_some(8))
    }

    /// Whether the file is of a kind that the faster library does not read rightly.
    fn is_odd(&self) -> bool {
        let outline = &self.outline;
        outline.coarse_luma || (outline.scans > 1 && !outline.progressive)
    }

    /// Bytes to decode `eighths` of the picture. The library hands rows of coefficients, two bytes
    /// each, to threads of its own through a queue without a bound: all of them count, and the next row,
    /// which it makes room for before it knows that there is none.
    fn scaled_memory(&self, eighths: u64, side: usize) -> u64 {
        let Outline {
            width,
            height,
            samples,
            ..
        } = self.outline;
        let scaled = |length: u64| (length + 64) * eighths / 8;
        let (width, height) = (scaled(width), scaled(height));
        let rows = self.outline.height.div_ceil(16).max(1);
        (samples + samples.div_ceil(rows)) * 2
            + (samples * eighths * eighths).div_ceil(64)
            + width * height * 3
            + shrinking(width, height, side)
            + self.bytes.len() as u64
    }

    /// Bytes to decode all of the picture: its pixels, and all coefficients if there is more than
    /// one scan.
    fn full_memory(&self, side: usize) -> u64 {
        let outline = &self.outline;
        let coefficients = if outline.progressive || outline.scans > 1 {
            outline.samples * 2
        } else {
            0
        };
        (outline.width + 64) * (outline.height + 64) * 3
            + coefficients.max(shrinking(outline.width, outline.height, side))
            + self.bytes.len() as u64
    }

    /// The file with these bytes and an end behind it. Half a marker at its end is cut off.
    fn with_tail(&self, tail: &[u8]) -> Zeroizing<Vec<u8>> {
        let bytes = self.bytes.strip_suffix(&[0xFF]).unwrap_or(self.bytes);
        let mut file = Zeroizing::new(Vec::with_capacity(bytes.len() + TAIL));
        file.extend_from_slice(bytes);
        file.extend_from_slice(tail);
        file.extend_from_slice(&[0xFF, 0xD9]);
        file
    }

    fn decode_from(&self, bytes: &[u8], eighths: Option<u64>) -> Result<Image, PhotoError> {
        match eighths {
            Some(eighths) => self.decode_scaled(bytes, eighths),
            None => self.decode_full(bytes),
        }
    }

    fn decode_full(&self, bytes: &[u8]) -> Result<Image, PhotoError> {
        let (width, height) = (self.outline.width as usize, self.outline.height as usize);
        let options = DecoderOptions::default()
            .set_max_width(width)
            .set_max_height(height)
            .set_strict_mode(false)
            .jpeg_set_max_scans(MAX_SCANS as usize)
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        let data = decoder.decode().map_err(|_| PhotoError::Unsupported)?;
        Image::new(width, height, data).ok_or(PhotoError::Unsupported)
    }

    fn decode_scaled(&self, bytes: &[u8], eighths: u64) -> Result<Image, PhotoError> {
        let scaled = |length: u64| (length * eighths).div_ceil(8).max(1) as u16;
        let wanted = (scaled(self.outline.width), scaled(self.outline.height));
        let mut decoder = Decoder::new(Cursor::new(bytes));
        let size = decoder.scale(wanted.0, wanted.1);
        let decoded = size.and_then(|size| Ok((size, Zeroizing::new(decoder.decode()?))));
        let ((width, height), mut data) = decoded.map_err(|_| PhotoError::Unsupported)?;
        // The library chooses the scale by itself; a larger one than was paid for is not taken.
        if (width, height) != wanted {
            return Err(PhotoError::Unsupported);
        }
        let data = match decoder.info().map(|info| info.pixel_format) {
            Some(PixelFormat::RGB24) => std::mem::take(&mut *data),
            Some(PixelFormat::L8) => grays(&data),
            _ => return Err(PhotoError::Unsupported),
        };
        Image::new(width.into(), height.into(), data).ok_or(PhotoError::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::outline::tests::header;
    use super::*;
    use crate::image::{Format, decode_as};

    fn refused(bytes: &[u8]) -> Option<PhotoError> {
        decode_as(Format::Jpeg, bytes, &Limits::default()).err()
    }

    #[test]
    fn large_pictures_are_refused_unread() {
        let full = [0x11; 3];
        assert_eq!(
            refused(&header(0xC0, 60_000, 60_000, full, 1)),
            Some(PhotoError::TooLarge)
        );
        // 48 megapixels: progressive without subsampling takes six bytes a pixel at least.
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
    fn large_photos_are_decoded_in_eighths() {
        let limits = Limits::default();
        let of = |width, height, sampling, progressive: bool| {
            let marker = if progressive { 0xC2 } else { 0xC0 };
            let bytes = header(marker, width, height, sampling, 1);
            let jpeg = Jpeg::open(&bytes).unwrap();
            (jpeg.eighths(&limits), jpeg.cost(&limits).memory / 1_000_000)
        };
        let (half, full) = ([0x22, 0x11, 0x11], [0x11; 3]);
        assert_eq!(of(1280, 960, half, false), (None, 4));
        assert_eq!(of(2048, 1536, half, false), (None, 10));
        assert_eq!(of(3000, 4000, half, false).0, Some(4));
        assert_eq!(of(4032, 3024, half, false), (Some(4), 50));
        assert_eq!(of(8160, 6120, half, true), (Some(2), 183));
        // Too much of a queue for the ceiling, but not too much of a picture.
        assert_eq!(of(8160, 6120, full, false), (None, 199));
    }
}
