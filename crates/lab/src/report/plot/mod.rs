//! Pictures of an evaluation, as SVG that follows the reader's light or dark theme.

mod axis;
mod det;
mod distances;
mod frame;

pub use det::det;
pub use distances::distances;
