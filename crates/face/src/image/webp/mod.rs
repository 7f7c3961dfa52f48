//! WebP: stills, lossy or lossless, with or without alpha.
//!
//! The container is walked here; the library is handed a file that holds the picture and nothing
//! else, so that both mean the same chunks.

mod lossless;

use std::io::Cursor;

use image_webp::WebPDecoder;
use zeroize::Zeroizing;

use super::orient::Orientation;
use super::pixels::{flatten, shrinking};
use super::{Cost, Image, Limits, Photo, exif};
use crate::PhotoError;

/// Flags of the `VP8X` chunk (WebP Container Specification, "Extended File Format").
const ANIMATION: u8 = 0x02;
const ALPHA: u8 = 0x10;
/// The library makes room for a partition of the lossy picture before it sees that it is cut off;
/// its length has three bytes.
const PARTITION: u64 = 1 << 24;

/// A WebP file whose chunks were read.
pub(super) struct WebP<'a> {
    picture: Picture<'a>,
    width: u32,
    height: u32,
    orientation: Orientation,
    /// Bytes for tables and side pictures, read from the lossless streams.
    tables: u64,
}

/// The chunks that are the picture.
enum Picture<'a> {
    Lossy(&'a [u8]),
    /// Colours, and the `ALPH` chunk.
    LossyWithAlpha(&'a [u8], &'a [u8]),
    Lossless(&'a [u8]),
}

impl<'a> Photo<'a> for WebP<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, PhotoError> {
        Self::read(bytes).ok_or(PhotoError::Unsupported)
    }

    fn cost(&self, limits: &Limits) -> Cost {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let pixels = width * height;
        // Whole macroblocks of brightness and halved colour, with what is known of each block.
        let blocks = (width + 16) * (height + 16) * 7 / 4 + PARTITION;
        let (decoding, len) = match self.picture {
            Picture::Lossy(data) => (blocks + pixels * 3, data.len()),
            // Alpha is a picture of its own, decoded to four bytes a pixel and kept as one.
            Picture::LossyWithAlpha(data, alpha) => (blocks + pixels * 9, data.len() + alpha.len()),
            // RGBA, and RGB beside it when there is no alpha.
            Picture::Lossless(data) => (pixels * 7, data.len()),
        };
        let shrinking = pixels * 4 + shrinking(width, height, limits.side);
        Cost {
            width,
            height,
            // The file handed over, and the library's copy of what it reads.
            memory: decoding.max(shrinking) + self.tables + 2 * len as u64,
        }
    }

    fn orientation(&self) -> Orientation {
        self.orientation
    }

    fn decode(self, _: &Limits) -> Result<Image, PhotoError> {
        let file = self.picture.file(self.width, self.height);
        let unsupported = |_| PhotoError::Unsupported;
        let mut decoder = WebPDecoder::new(Cursor::new(&file[..])).map_err(unsupported)?;
        if decoder.dimensions() != (self.width, self.height) || decoder.is_animated() {
            return Err(PhotoError::Unsupported);
        }
        let size = decoder.output_buffer_size().ok_or(PhotoError::TooLarge)?;
        let mut data = Zeroizing::new(vec![0; size]);
        decoder.read_image(&mut data).map_err(unsupported)?;
        if decoder.has_alpha() {
            flatten(&mut data);
        }
        let data = std::mem::take(&mut *data);
        Image::new(self.width as usize, self.height as usize, data).ok_or(PhotoError::Unsupported)
    }
}

impl<'a> WebP<'a> {
    /// Walks the container; `None` for a file that is not whole, or moves.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, content) = bytes.split_first_chunk::<12>()?;
        let size = u32::from_le_bytes(*header[4..].first_chunk()?);
        let content = content.get(..usize::try_from(size).ok()?.checked_sub(4)?)?;
        let (kind, first, rest) = chunk(content)?;
        let mut orientation = Orientation::default();
        let mut canvas = None;
        let picture = match kind {
            b"VP8 " => Picture::Lossy(first),
            b"VP8L" => Picture::Lossless(first),
            b"VP8X" => {
                let (flags, size) = extended(first)?;
                if flags & ANIMATION != 0 {
                    return None;
                }
                canvas = Some(size);
                let chunks = Chunks::read(rest)?;
                orientation = chunks.exif.map(orientation_of).unwrap_or_default();
                chunks.picture(flags & ALPHA != 0)?
            }
            _ => return None,
        };
        let (width, height, tables) = picture.size()?;
        let fits = canvas.is_none_or(|canvas| canvas == (width, height));
        fits.then_some(Self {
            picture,
            width,
            height,
            orientation,
            tables,
        })
    }
}

/// The chunks of an extended file that count: the first of each kind.
#[derive(Default)]
struct Chunks<'a> {
    lossy: Option<&'a [u8]>,
    lossless: Option<&'a [u8]>,
    alpha: Option<&'a [u8]>,
    exif: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut chunks = Self::default();
        while !bytes.is_empty() {
            let (kind, data, rest) = chunk(bytes)?;
            let slot = match kind {
                b"VP8 " => Some(&mut chunks.lossy),
                b"VP8L" => Some(&mut chunks.lossless),
                b"ALPH" => Some(&mut chunks.alpha),
                b"EXIF" => Some(&mut chunks.exif),
                b"ANIM" | b"ANMF" => return None,
                _ => None,
            };
            if let Some(slot) = slot {
                slot.get_or_insert(data);
            }
            bytes = rest;
        }
        Some(chunks)
    }

    fn picture(&self, has_alpha: bool) -> Option<Picture<'a>> {
        match (self.lossy, self.lossless, self.alpha) {
            (None, Some(data), _) => Some(Picture::Lossless(data)),
            (Some(data), None, Some(alpha)) if has_alpha => {
                Some(Picture::LossyWithAlpha(data, alpha))
            }
            (Some(data), None, _) => Some(Picture::Lossy(data)),
            // None, or two of them.
            _ => None,
        }
    }
}

impl Picture<'_> {
    /// Width and height of the picture itself, and bytes for what its lossless streams ask for.
    fn size(&self) -> Option<(u32, u32, u64)> {
        match self {
            Self::Lossy(data) => lossy_size(data).map(|(w, h)| (w, h, 0)),
            Self::LossyWithAlpha(data, alpha) => {
                let (width, height) = lossy_size(data)?;
                // The lowest bits of the first byte say whether it is compressed.
                let (&info, stream) = alpha.split_first()?;
                let tables = match info & 3 {
                    0 => 0,
                    1 => lossless::tables(stream, width, height)?,
                    _ => return None,
                };
                Some((width, height, tables))
            }
            Self::Lossless(data) => {
                let (header, stream) = data.split_first_chunk::<5>()?;
                let bits = u32::from_le_bytes(*header[1..].first_chunk()?);
                let (width, height) = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
                let tables = lossless::tables(stream, width, height)?;
                (header[0] == 0x2F && bits >> 29 == 0).then_some((width, height, tables))
            }
        }
    }

    /// A file with this picture and nothing else.
    fn file(&self, width: u32, height: u32) -> Zeroizing<Vec<u8>> {
        let extended = |size: u32| (size - 1).to_le_bytes();
        let ([w0, w1, w2, _], [h0, h1, h2, _]) = (extended(width), extended(height));
        let header = [ALPHA, 0, 0, 0, w0, w1, w2, h0, h1, h2];
        let chunks: &[(&[u8; 4], &[u8])] = match self {
            Self::Lossy(data) => &[(b"VP8 ", data)],
            Self::LossyWithAlpha(data, alpha) => {
                &[(b"VP8X", &header), (b"ALPH", alpha), (b"VP8 ", data)]
            }
            Self::Lossless(data) => &[(b"VP8L", data)],
        };
        let padded = |data: &[u8]| data.len().next_multiple_of(2);
        let size = 4 + chunks.iter().map(|(_, d)| 8 + padded(d)).sum::<usize>();
        let mut file = Zeroizing::new(Vec::with_capacity(8 + size));
        file.extend(b"RIFF");
        file.extend((size as u32).to_le_bytes());
        file.extend(b"WEBP");
        for (kind, data) in chunks {
            file.extend(*kind);
            file.extend((data.len() as u32).to_le_bytes());
            file.extend_from_slice(data);
            let padding = data.len() % 2;
            file.extend(std::iter::repeat_n(0, padding));
        }
        file
    }
}

/// The kind and content of the chunk at the start, and what follows it.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    // A byte is added where the length is odd; at the end it may be missing.
    Some((kind, data, rest.get(length % 2..).unwrap_or_default()))
}

/// Flags and canvas of the extended header.
fn extended(data: &[u8]) -> Option<(u8, (u32, u32))> {
    let &[flags, _, _, _, w0, w1, w2, h0, h1, h2] = data.first_chunk()?;
    let size = |bytes: [u8; 3]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) + 1;
    Some((flags, (size([w0, w1, w2]), size([h0, h1, h2]))))
}

/// Size of a lossy picture (RFC 6386, 9.1); only key frames are stills.
fn lossy_size(data: &[u8]) -> Option<(u32, u32)> {
    let &[tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1] = data.first_chunk()? else {
        return None;
    };
    let size = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    (tag & 1 == 0).then_some((size([w0, w1]), size([h0, h1])))
}

fn orientation_of(exif: &[u8]) -> Orientation {
    // Some writers keep what begins the segment in a JPEG.
    exif::orientation(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}
