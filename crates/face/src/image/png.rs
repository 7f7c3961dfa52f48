//! PNG: gray, RGB, palette, 8 or 16 bits, with or without alpha, interlaced or not.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Limits as PngLimits, Transformations};
use zeroize::Zeroizing;

use super::orient::Orientation;
use super::{Image, Limits, exif};
use crate::PhotoError;

/// Decodes the (first) picture; transparent places become white.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(Image, Orientation), PhotoError> {
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), PngLimits { bytes: memory });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(|e| refused(&e))?;
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    // At most four bytes a pixel come out, and a few rows are kept besides.
    limits.check(
        width,
        height,
        width
            .saturating_mul(height.saturating_add(8))
            .saturating_mul(4),
    )?;
    let mut reader = decoder.read_info().map_err(|e| refused(&e))?;
    let size = reader.output_buffer_size().ok_or(PhotoError::TooLarge)?;
    let mut data = Zeroizing::new(vec![0; size]);
    let frame = reader.next_frame(&mut data).map_err(|e| refused(&e))?;
    // The end of the file is read too: a photo cut short is refused.
    reader.finish().map_err(|e| refused(&e))?;
    let orientation = reader
        .info()
        .exif_metadata
        .as_deref()
        .map(exif::orientation)
        .unwrap_or_default();
    let rgb = to_rgb(data, frame.color_type).ok_or(PhotoError::Unsupported)?;
    let image = Image::new(width as usize, height as usize, rgb).ok_or(PhotoError::Unsupported)?;
    Ok((image, orientation))
}

fn refused(error: &DecodingError) -> PhotoError {
    match error {
        DecodingError::LimitsExceeded => PhotoError::TooLarge,
        _ => PhotoError::Unsupported,
    }
}

/// Any 8-bit layout to RGB, in place where that saves memory.
fn to_rgb(mut data: Zeroizing<Vec<u8>>, layout: ColorType) -> Option<Vec<u8>> {
    match layout {
        ColorType::Rgb => {}
        ColorType::Grayscale => return Some(data.iter().flat_map(|v| [*v; 3]).collect()),
        ColorType::GrayscaleAlpha => {
            return Some(
                data.as_chunks()
                    .0
                    .iter()
                    .flat_map(|&[v, a]| [over_white(v, a); 3])
                    .collect(),
            );
        }
        ColorType::Rgba => {
            let pixels = data.len() / 4;
            for i in 0..pixels {
                let alpha = data[4 * i + 3];
                for c in 0..3 {
                    data[3 * i + c] = over_white(data[4 * i + c], alpha);
                }
            }
            data.truncate(3 * pixels);
        }
        ColorType::Indexed => return None,
    }
    Some(std::mem::take(&mut *data))
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn pixels(bytes: &[u8]) -> Vec<u8> {
        decode(bytes, &Limits::default()).unwrap().0.data().to_vec()
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
