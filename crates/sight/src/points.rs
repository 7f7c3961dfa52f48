//! Points of a face by which it is aligned.

use crate::geometry::Point;

/// Number of landmarks in the iBUG order: 0–16 jaw, 17–26 brows, 27–35 nose, 36–41 and 42–47 eyes, 48–67
/// lips; left and right as one looks at the picture.
pub const COUNT: usize = 68;

/// The landmarks of one face, in the picture's pixels.
pub type Points = [Point; COUNT];

/// Five points of a face as one looks at it: left eye, right eye, tip of the nose, left and right corner of
/// the mouth. (The left eye in the picture is the person's right one.)
pub type FivePoints = [Point; 5];
