//! 8-bit RGB pixels of others, and what they take.

pub(super) use sight::picture::{fitted, smoothly};

/// RGB pixels of gray ones.
pub(super) fn grays(values: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(values.len() * 3);
    data.extend(values.iter().flat_map(|v| [*v; 3]));
    data
}

/// Turns RGBA pixels into RGB in place: what shines through is white.
pub(super) fn flatten(data: &mut Vec<u8>) {
    let pixels = data.len() / 4;
    for i in 0..pixels {
        let alpha = data[4 * i + 3];
        for c in 0..3 {
            data[3 * i + c] = over_white(data[4 * i + c], alpha);
        }
    }
    data.truncate(3 * pixels);
}

/// A colour that lets white shine through, `alpha` of 255 parts its own.
pub(super) fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Bytes that [`shrunk_to`](sight::Image::shrunk_to) takes beside a picture of this size.
pub(super) fn shrinking(width: u64, height: u64, side: usize) -> u64 {
    let (longer, side) = (width.max(height), side as u64);
    if longer <= side {
        return 0;
    }
    let scaled = |length: u64| (length * side).div_ceil(longer).max(1);
    // The columns are made first, at full height, then the rows.
    scaled(width) * (height + scaled(height)) * 3
}
