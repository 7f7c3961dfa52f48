//! What convolutions and poolings have in common: a window that slides over a picture.

use super::layout::{Layout, Margin};

/// A window that slides over a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Height and width, in pixels.
    pub size: [usize; 2],
    /// Pixels down and across from one place to the next.
    pub stride: [usize; 2],
    pub pads: Margin,
}

impl Window {
    /// Rows and columns of its places on a picture; `None` if it does not fit.
    pub(super) fn places(&self, from: &Layout) -> Option<[usize; 2]> {
        let count = |length: usize, before: usize, after: usize, i: usize| {
            let room = (length + before + after).checked_sub(self.size[i])?;
            Some(room.checked_div(self.stride[i])? + 1)
        };
        Some([
            count(from.height, self.pads.top, self.pads.bottom, 0)?,
            count(from.width, self.pads.left, self.pads.right, 1)?,
        ])
    }
}
