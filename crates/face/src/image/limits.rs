//! What a photo may take, said before it is taken.

use crate::PhotoError;

/// What one photo may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub bytes: usize,
    /// Most pixels, width times height.
    pub pixels: u64,
    /// Memory to decode into, in bytes: everything that is allocated between the file and the
    /// picture that comes out, at its highest. The file itself is the caller's and not counted.
    pub memory: u64,
    /// Longest side of the picture that comes out, in pixels; larger photos are scaled down while
    /// they are decoded.
    pub side: usize,
}

impl Default for Limits {
    /// 12 MB and 50 megapixels cover every phone's normal mode. 192 MiB is enough for 50 megapixels
    /// of any JPEG without or with halved colour, also progressive, of PNG, and of HEIC in tiles, as
    /// phones write them; and for 24 megapixels of everything else. A face that takes a fiftieth of
    /// 2048 pixels still has the pixels the recognition network wants.
    fn default() -> Self {
        Self {
            bytes: 12_000_000,
            pixels: 50_000_000,
            memory: 192 << 20,
            side: 2048,
        }
    }
}

impl Limits {
    /// Refuses what costs too much, and pictures without a pixel.
    pub(super) fn check(&self, cost: Cost) -> Result<(), PhotoError> {
        if cost.width == 0 || cost.height == 0 {
            Err(PhotoError::Unsupported)
        } else if cost.width.saturating_mul(cost.height) > self.pixels || cost.memory > self.memory
        {
            Err(PhotoError::TooLarge)
        } else {
            Ok(())
        }
    }
}

/// What decoding a photo is going to take, known from its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Of the stored picture, in pixels.
    pub width: u64,
    pub height: u64,
    /// Bytes at the highest, the picture that comes out included.
    pub memory: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_memory_are_checked_apart() {
        let limits = Limits {
            pixels: 100,
            memory: 1000,
            ..Limits::default()
        };
        let check = |width, height, memory| {
            limits
                .check(Cost {
                    width,
                    height,
                    memory,
                })
                .err()
        };
        assert_eq!(check(10, 10, 1000), None);
        assert_eq!(check(101, 1, 0), Some(PhotoError::TooLarge));
        assert_eq!(check(u64::MAX, 3, 0), Some(PhotoError::TooLarge));
        assert_eq!(check(10, 10, 1001), Some(PhotoError::TooLarge));
        assert_eq!(check(0, 10, 10), Some(PhotoError::Unsupported));
    }
}
