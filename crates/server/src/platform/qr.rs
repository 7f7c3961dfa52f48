//! A QR code as a PNG.

use png::{BitDepth, ColorType, Encoder};
use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

/// Why a text cannot be drawn.
#[derive(Debug, Error)]
#[error("the QR code cannot be drawn: {0}")]
pub struct DrawingError(String);

/// Pixels of a module's side: the smallest that old phone cameras read from a laptop's screen.
const SCALE: usize = 8;
/// Blank modules around the code (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

fn code(text: &str) -> Result<QrCode, DrawingError> {
    QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| DrawingError(error.to_string()))
}

/// The side of the code in modules, with what is blank around it, and an SVG path over its dark modules: one stroke for
/// each run of them.
///
/// # Errors
/// When it is too long for a code.
pub fn svg_path(text: &str) -> Result<(usize, String), DrawingError> {
    let code = code(text)?;
    let width = code.width();
    let mut path = String::new();
    for y in 0..width {
        let mut x = 0;
        while x < width {
            let run = (x..width)
                .take_while(|x| code[(*x, y)] == Color::Dark)
                .count();
            if run > 0 {
                path += &format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    Ok((width + 2 * QUIET, path))
}

/// Draws `text` as a one-bit grayscale PNG.
///
/// # Errors
/// When it is too long for a code.
pub fn png(text: &str) -> Result<Vec<u8>, DrawingError> {
    let drawing = DrawingError;
    let code = code(text)?;
    let width = code.width();
    let side = (width + 2 * QUIET) * SCALE;
    let is_dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(QUIET).filter(|m| *m < width);
        matches!((module(x), module(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    let stride = side.div_ceil(8);
    let mut pixels = vec![0_u8; stride * side];
    for y in 0..side {
        for x in 0..side {
            if !is_dark(x, y) {
                pixels[y * stride + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
    let side = u32::try_from(side).map_err(|error| drawing(error.to_string()))?;
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .map_err(|error| drawing(error.to_string()))?;
    Ok(file)
}
