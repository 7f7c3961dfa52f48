//! The one thing read from EXIF: how the camera was held.

use super::orient::Orientation;

/// Tag of the orientation, types of its value (16 bits as the standard has it, 32 as some programs write it),
/// bytes per directory entry (TIFF 6.0).
const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const ENTRY: usize = 12;

/// The orientation in a TIFF block, which is what EXIF is. Anything odd means upright.
pub(crate) fn orientation(tiff: &[u8]) -> Orientation {
    orientation_in(tiff).unwrap_or_default()
}

/// The same, or `None` for a block that names none.
pub(crate) fn orientation_in(tiff: &[u8]) -> Option<Orientation> {
    find(tiff).map(Orientation::from_exif)
}

fn find(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.first_chunk()? {
        b"MM\0\x2A" => true,
        b"II\x2A\0" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |at: usize| -> Option<u32> {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let count = usize::from(short(directory)?);
    (0..count)
        .map_while(|i| directory.checked_add(2 + i * ENTRY))
        .find(|at| short(*at) == Some(ORIENTATION))
        .and_then(|at| match short(at + 2)? {
            SHORT => short(at + 8),
            LONG => u16::try_from(long(at + 8)?).ok(),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(big: bool, value: u8) -> Vec<u8> {
        if big {
            let mut bytes = b"MM\0\x2A\0\0\0\x08\0\x02\x01\0\0\x03\0\0\0\x01\0\x05\0\0".to_vec();
            bytes.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]);
            bytes
        } else {
            let mut bytes = b"II\x2A\0\x08\0\0\0\x01\0".to_vec();
            bytes.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]);
            bytes
        }
    }

    #[test]
    fn both_byte_orders_are_read() {
        assert_eq!(orientation(&tiff(true, 6)), Orientation::from_exif(6));
        assert_eq!(orientation(&tiff(false, 8)), Orientation::from_exif(8));
    }

    #[test]
    fn a_long_number_says_the_same() {
        for (big, value) in [(true, [0, 0, 0, 6]), (false, [6, 0, 0, 0])] {
            let mut bytes = tiff(big, 6);
            let kind = bytes.len() - 10;
            bytes[kind..kind + 2].copy_from_slice(if big { &[0, 4] } else { &[4, 0] });
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&value);
            assert_eq!(orientation_in(&bytes), Some(Orientation::from_exif(6)));
        }
    }

    #[test]
    fn damage_means_upright() {
        let good = tiff(true, 6);
        for end in 0..good.len() - 4 {
            assert_eq!(
                orientation(&good[..end]),
                Orientation::default(),
                "cut at {end}"
            );
        }
        assert_eq!(
            orientation(b"II\x2A\0\xFF\xFF\xFF\xFF"),
            Orientation::default()
        );
    }
}
