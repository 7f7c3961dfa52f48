//! PNG: gray, RGB, palette, 8 or 16 bits, with or without alpha, interlaced or not.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Limits as PngLimits, Reader, Transformations};
use zeroize::Zeroizing;

use super::orient::Orientation;
use super::pixels::{flatten, grays, over_white, shrinking};
use super::rows::Rows;
use super::{Cost, Image, Limits, Photo, exif};
use crate::PhotoError;

/// What the library holds beside the pixels, bytes: compressed data, its window, the metadata it
/// does not leave out.
const BESIDE: usize = 2 << 20;

/// A PNG file whose header was read.
pub(super) struct Png<'a> {
    bytes: &'a [u8],
    width: u64,
    height: u64,
    interlaced: bool,
    orientation: Orientation,
}

impl<'a> Photo<'a> for Png<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, PhotoError> {
        let orientation = walk(bytes).ok_or(PhotoError::Unsupported)?;
        let mut decoder = Decoder::new(Cursor::new(bytes));
        let header = decoder.read_header_info().map_err(|e| refused(&e))?;
        Ok(Self {
            bytes,
            width: header.width.into(),
            height: header.height.into(),
            interlaced: header.interlaced,
            orientation,
        })
    }

    fn cost(&self, limits: &Limits) -> Cost {
        let (width, height) = (self.width, self.height);
        // Rows of up to eight bytes a pixel: filtered, unfiltered, the one before, turned to RGB.
        let rows = width.saturating_mul(8 * 6);
        let pixels = if self.interlaced {
            // RGBA is turned into RGB in place; gray with alpha becomes RGB beside it.
            let all = width.saturating_mul(height);
            all.saturating_mul(5)
                .saturating_add(shrinking(width, height, limits.side))
        } else {
            Rows::memory(width, height, limits.side, 1)
        };
        Cost {
            width,
            height,
            memory: pixels.saturating_add(rows).saturating_add(BESIDE as u64),
        }
    }

    fn orientation(&self) -> Orientation {
        self.orientation
    }

    fn decode(self, limits: &Limits) -> Result<Image, PhotoError> {
        let mut decoder =
            Decoder::new_with_limits(Cursor::new(self.bytes), PngLimits { bytes: BESIDE });
        decoder.set_transformations(Transformations::normalize_to_color8());
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let mut reader = decoder.read_info().map_err(|e| refused(&e))?;
        let image = if self.interlaced {
            whole(&mut reader)?
        } else {
            let rows = Rows::new(self.width as usize, self.height as usize, limits.side);
            row_by_row(&mut reader, rows)?
        };
        // The end of the file is read too: damage there is damage.
        reader.finish().map_err(|e| refused(&e))?;
        Ok(image)
    }
}

/// Walks the chunks from the signature to the last one; how the camera was held. `None` for a file
/// that is not whole, or moves.
fn walk(bytes: &[u8]) -> Option<Orientation> {
    let mut rest = bytes.get(8..)?;
    let mut orientation = Orientation::default();
    loop {
        let (length, after) = rest.split_first_chunk()?;
        let (kind, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, after) = after.split_at_checked(length)?;
        // The check sum.
        (_, rest) = after.split_at_checked(4)?;
        match kind {
            b"eXIf" => orientation = exif::orientation(data),
            // The library takes the file's word that a palette is of whole colours, 256 at most.
            b"PLTE" if !(3..=768).contains(&length) || length % 3 != 0 => return None,
            b"acTL" | b"fdAT" => return None,
            b"IEND" => return Some(orientation),
            _ => {}
        }
    }
}

fn refused(error: &DecodingError) -> PhotoError {
    match error {
        DecodingError::LimitsExceeded => PhotoError::TooLarge,
        _ => PhotoError::Unsupported,
    }
}

type Source<'a> = Reader<Cursor<&'a [u8]>>;

fn row_by_row(reader: &mut Source<'_>, mut rows: Rows) -> Result<Image, PhotoError> {
    let layout = reader.output_color_type().0;
    let width = reader.info().width;
    let size = reader.output_line_size(width).ok_or(PhotoError::TooLarge)?;
    let mut row = Zeroizing::new(vec![0; size]);
    while reader
        .read_row(&mut row)
        .map_err(|e| refused(&e))?
        .is_some()
    {
        if layout == ColorType::Rgb {
            rows.push(&row)?;
        } else {
            let rgb = to_rgb(row.clone(), layout).ok_or(PhotoError::Unsupported)?;
            rows.push(&Zeroizing::new(rgb))?;
        }
    }
    rows.finish()
}

/// The rows of an interlaced picture come in an order of their own, so it is decoded whole.
fn whole(reader: &mut Source<'_>) -> Result<Image, PhotoError> {
    let size = reader.output_buffer_size().ok_or(PhotoError::TooLarge)?;
    let mut data = Zeroizing::new(vec![0; size]);
    let frame = reader.next_frame(&mut data).map_err(|e| refused(&e))?;
    let rgb = to_rgb(data, frame.color_type).ok_or(PhotoError::Unsupported)?;
    Image::new(frame.width as usize, frame.height as usize, rgb).ok_or(PhotoError::Unsupported)
}

/// Any 8-bit layout to RGB, in place where that saves memory.
fn to_rgb(mut data: Zeroizing<Vec<u8>>, layout: ColorType) -> Option<Vec<u8>> {
    match layout {
        ColorType::Rgb => {}
        ColorType::Grayscale => return Some(grays(&data)),
        ColorType::GrayscaleAlpha => {
            for i in 0..data.len() / 2 {
                data[i] = over_white(data[2 * i], data[2 * i + 1]);
            }
            let pixels = data.len() / 2;
            return Some(grays(&data[..pixels]));
        }
        ColorType::Rgba => flatten(&mut data),
        ColorType::Indexed => return None,
    }
    Some(std::mem::take(&mut *data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Format, decode_as};
    use ::png::{BitDepth, Encoder};

    /// A file of the given layout.
    fn file(width: u32, height: u32, layout: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(layout);
        encoder.set_depth(depth);
        if layout == ColorType::Indexed {
            encoder.set_palette(vec![1, 2, 3, 200, 100, 50]);
        }
        encoder
            .write_header()
            .unwrap()
            .write_image_data(data)
            .unwrap();
        bytes
    }

    fn decode(bytes: &[u8], limits: &Limits) -> Result<Image, PhotoError> {
        decode_as(Format::Png, bytes, limits)
    }

    fn pixels(bytes: &[u8]) -> Vec<u8> {
        decode(bytes, &Limits::default()).unwrap().data().to_vec()
    }

    #[test]
    fn palettes_of_broken_colours_are_refused() {
        let good = file(2, 1, ColorType::Indexed, BitDepth::Eight, &[1, 0]);
        // Behind the signature and the header: length, name, six bytes, check sum.
        for length in [0, 1, 4, 7, 769, 771] {
            let mut chunk = (length as u32).to_be_bytes().to_vec();
            chunk.extend(b"PLTE");
            chunk.resize(8 + length, 9);
            let sum = crc32(&chunk[4..]);
            chunk.extend(sum.to_be_bytes());
            let mut bytes = good.clone();
            bytes.splice(33..33 + 12 + 6, chunk);
            let refused = decode(&bytes, &Limits::default()).err();
            assert_eq!(refused, Some(PhotoError::Unsupported), "{length}");
        }
    }

    #[test]
    fn every_layout_becomes_rgb() {
        use BitDepth::{Eight, One, Sixteen};
        use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
        assert_eq!(pixels(&file(1, 1, Rgb, Eight, &[1, 2, 3])), [1, 2, 3]);
        assert_eq!(
            pixels(&file(1, 1, Rgb, Sixteen, &[1, 99, 2, 99, 3, 99])),
            [1, 2, 3]
        );
        assert_eq!(
            pixels(&file(2, 1, Rgba, Eight, &[9, 8, 7, 255, 9, 8, 7, 0])),
            [9, 8, 7, 255, 255, 255]
        );
        assert_eq!(
            pixels(&file(2, 1, Grayscale, Eight, &[5, 6])),
            [5, 5, 5, 6, 6, 6]
        );
        assert_eq!(
            pixels(&file(1, 1, GrayscaleAlpha, Eight, &[0, 128])),
            [127; 3]
        );
        assert_eq!(
            pixels(&file(2, 1, Indexed, Eight, &[1, 0])),
            [200, 100, 50, 1, 2, 3]
        );
        assert_eq!(
            pixels(&file(8, 1, Grayscale, One, &[0b1000_0000]))[..6],
            [255, 255, 255, 0, 0, 0]
        );
    }

    #[test]
    fn truncated_files_are_refused() {
        let noise: Vec<u8> = (0..3 * 40 * 40)
            .map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let good = file(40, 40, ColorType::Rgb, BitDepth::Eight, &noise);
        for end in (8..good.len())
            .step_by(37)
            .chain([good.len() - 13, good.len() - 4])
        {
            assert_eq!(
                decode(&good[..end], &Limits::default()).err(),
                Some(PhotoError::Unsupported),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn the_header_alone_decides_about_size() {
        let mut huge = file(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
        huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        huge[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let crc = crc32(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(
            decode(&huge, &Limits::default()).err(),
            Some(PhotoError::TooLarge)
        );
        let small = Limits {
            memory: 1000,
            ..Limits::default()
        };
        let noise = vec![7; 3 * 40 * 40];
        let file = file(40, 40, ColorType::Rgb, BitDepth::Eight, &noise);
        assert_eq!(decode(&file, &small).err(), Some(PhotoError::TooLarge));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                if c & 1 == 1 {
                    0xEDB8_8320 ^ (c >> 1)
                } else {
                    c >> 1
                }
            })
        })
    }
}
