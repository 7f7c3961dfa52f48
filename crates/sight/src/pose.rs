//! How a head is held and what its eyes and mouth do, read off the mesh.

use crate::geometry::Point;
use crate::mesh::{Mesh, at};

/// One face at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Turn about the vertical axis, degrees; positive to the person's own left.
    pub yaw: f32,
    /// Turn about the axis through the ears, degrees; positive is up. Its zero differs from person to
    /// person and camera to camera by some ten degrees, so only changes mean something.
    pub pitch: f32,
    /// Opening of the eyes: mean height over width (Soukupová and Čech's eye aspect ratio, 2016).
    /// About 0.3 open, below 0.2 closed.
    pub eyes: f32,
    /// The same height over the distance from hairline to nose instead, about 0.14 open: tilting a flat
    /// picture shrinks both, a blink only the one.
    pub lids: f32,
    /// Opening of the mouth: distance of the lips' inner edges, in units of the eyes' distance.
    pub mouth: f32,
    /// Distance of the outer corners of the eyes, in pixels of the picture.
    pub size: f32,
    /// The same over the distance from hairline to nose: how broad the face appears. A head that turns
    /// by an angle shrinks by its cosine; a flat picture must be turned much farther to look the same.
    pub breadth: f32,
}

impl Pose {
    /// Reads the pose off a mesh.
    pub fn of(mesh: &Mesh) -> Self {
        let span = |[a, b]: [usize; 2]| distance(mesh.point(a), mesh.point(b));
        let opening = |lids: [[usize; 2]; 2]| lids.into_iter().map(span).sum::<f32>() / 2.0;
        let (right, left) = (opening(at::RIGHT_LIDS), opening(at::LEFT_LIDS));
        let width = |corners| span(corners).max(f32::MIN_POSITIVE);
        let size = span([at::RIGHT_EYE[0], at::LEFT_EYE[1]]).max(f32::MIN_POSITIVE);
        let height = span([at::FOREHEAD, at::SUBNASALE]).max(f32::MIN_POSITIVE);
        Self {
            yaw: slope(mesh, at::RIGHT_CHEEK, at::LEFT_CHEEK),
            pitch: -slope(mesh, at::FOREHEAD, at::CHIN),
            eyes: (right / width(at::RIGHT_EYE) + left / width(at::LEFT_EYE)) / 2.0,
            lids: (right + left) / 2.0 / height,
            mouth: span(at::LIPS) / size,
            size,
            breadth: size / height,
        }
    }
}

/// How open the eyes of a face usually are: as in any frame in which it looks straight ahead, for people blink unasked
/// as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usual {
    eyes: f32,
    lids: f32,
}

impl Usual {
    /// Takes one more frame into account.
    pub fn see(&mut self, pose: &Pose) {
        self.eyes = self.eyes.max(pose.eyes);
        self.lids = self.lids.max(pose.lids);
    }

    /// How the face usually looks, by the frame in which it looks straightest.
    pub fn of(&self, straightest: Pose) -> Pose {
        Pose {
            eyes: self.eyes,
            lids: self.lids,
            ..straightest
        }
    }
}

/// Angle by which the line from one point to another goes away from the camera, in degrees.
fn slope(mesh: &Mesh, from: usize, to: usize) -> f32 {
    let (from, to) = (mesh.deep(from), mesh.deep(to));
    let across = (to[0] - from[0]).hypot(to[1] - from[1]);
    (to[2] - from[2]).atan2(across).to_degrees()
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}
