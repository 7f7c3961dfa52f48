//! How a picture of numbers lies in memory: row by row, pixel by pixel, all channels of a pixel together.

/// Channels are stored in multiples of this, the widest vector of any processor here; the rest is zero.
const LANES: usize = 16;

/// Rows and columns of zeros around a picture, so that a convolution need not ask where its edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Margin {
    pub top: usize,
    pub left: usize,
    pub bottom: usize,
    pub right: usize,
}

impl Margin {
    /// From ONNX's `pads`: top, left, bottom, right.
    pub(super) fn new([top, left, bottom, right]: [usize; 4]) -> Self {
        Self {
            top,
            left,
            bottom,
            right,
        }
    }

    /// The layout that has room enough for both.
    pub(super) fn join(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

/// Where one picture's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Channels with the zeros behind them.
    pub stored: usize,
    pub margin: Margin,
}

impl Layout {
    /// Between layers: channels filled up with zeros.
    pub(super) fn inner(height: usize, width: usize, channels: usize) -> Self {
        Self {
            height,
            width,
            channels,
            stored: channels.next_multiple_of(LANES),
            margin: Margin::default(),
        }
    }

    /// A photo: three channels and nothing behind them.
    pub(super) fn photo(side: usize) -> Self {
        Self {
            stored: 3,
            ..Self::inner(side, side, 3)
        }
    }

    /// Numbers in a row, margins included.
    pub(super) fn row(&self) -> usize {
        (self.margin.left + self.width + self.margin.right) * self.stored
    }

    /// Numbers in a picture, margins included.
    pub(super) fn size(&self) -> usize {
        (self.margin.top + self.height + self.margin.bottom) * self.row()
    }

    /// Where the pixel at (y, x) begins.
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        (self.margin.top + y) * self.row() + (self.margin.left + x) * self.stored
    }

    /// Where the window of a layer with these pads begins that has its first pixel `(y, x)` pixels from
    /// the padded picture's corner. The margin must hold the pads.
    pub(super) fn window(&self, pads: Margin, y: usize, x: usize) -> usize {
        (self.margin.top - pads.top + y) * self.row()
            + (self.margin.left - pads.left + x) * self.stored
    }

    /// Whether it is a plain list of numbers.
    pub(super) fn is_list(&self) -> bool {
        self.height == 1 && self.width == 1
    }

    /// Writes the zeros around one picture.
    pub(super) fn clear_margin(&self, picture: &mut [f32]) {
        if self.margin == Margin::default() {
            return;
        }
        let row = self.row();
        let (top, bottom) = (self.margin.top, self.margin.top + self.height);
        for (y, line) in picture.chunks_exact_mut(row).enumerate() {
            if (top..bottom).contains(&y) {
                line[..self.margin.left * self.stored].fill(0.0);
                line[row - self.margin.right * self.stored..].fill(0.0);
            } else {
                line.fill(0.0);
            }
        }
    }
}
