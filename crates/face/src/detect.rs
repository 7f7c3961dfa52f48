//! Where the faces are.

use crate::PhotoError;
use crate::geometry::Rect;
use crate::image::{Framed, Image};
use crate::net::{Net, NetError};
use crate::pack::manifest::{DetectorKind, DetectorSpec};
use crate::spent::Work;

/// Boxes that share more than this of their joint area are the same face; the better one stays.
/// The values the networks were published with.
const YOLO_SAME: f32 = 0.4;
const SSD_SAME: f32 = 0.5;

/// A face in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    /// The network's confidence, 0 to 1. Detectors are not calibrated against each other.
    pub score: f32,
    /// In the picture's pixels; may reach beyond its edges.
    pub area: Rect,
}

/// One detector network.
pub(crate) struct Detector {
    net: Net,
    kind: DetectorKind,
    anchors: Vec<[f32; 2]>,
}

impl Detector {
    pub(crate) fn load(bytes: &[u8], spec: &DetectorSpec) -> Result<Self, NetError> {
        let side = spec.input.side;
        let net = match spec.kind {
            DetectorKind::Yolo => {
                let cells = side / YOLO_CELL;
                Net::load(
                    bytes,
                    spec.input.clone(),
                    &[&[1, 5 * spec.anchors.len(), cells, cells]],
                )?
            }
            DetectorKind::Ssd => {
                let net = Net::load(bytes, spec.input.clone(), &[])?;
                let count = net.output_shape(1).get(1).copied().unwrap_or(0);
                net.check_outputs(&[&[1, count, 4], &[1, count]])?;
                net
            }
        };
        Ok(Self {
            net,
            kind: spec.kind,
            anchors: spec.anchors.clone(),
        })
    }

    /// The network's runs so far.
    pub(crate) fn work(&self) -> Work {
        self.net.work()
    }

    /// The faces with at least confidence `least`, best first.
    ///
    /// The picture is drawn into the network's square with `margin` times its longer side around it,
    /// so that a face that fills or overflows the picture is as small as those the network knows.
    pub(crate) fn find(
        &self,
        image: &Image,
        margin: f32,
        least: f32,
    ) -> Result<Vec<Found>, PhotoError> {
        let framed = Framed::new(image, self.net.side(), margin)?;
        let outputs = self.net.run(&framed.image)?;
        let mut found = self.decode(&outputs, least);
        for face in &mut found {
            face.area = framed.to_source(face.area);
        }
        Ok(found)
    }

    /// Faces in units of the square's side, best first, one box each.
    fn decode(&self, outputs: &[Vec<f32>], least: f32) -> Vec<Found> {
        match (self.kind, outputs) {
            (DetectorKind::Yolo, [cells]) => {
                let side = self.net.side() / YOLO_CELL;
                distinct(yolo(cells, side, &self.anchors, least), YOLO_SAME)
            }
            (DetectorKind::Ssd, [boxes, scores]) => distinct(ssd(boxes, scores, least), SSD_SAME),
            _ => Vec::new(),
        }
    }
}

/// Pixels per cell of the tiny YOLO's grid: five poolings.
const YOLO_CELL: usize = 32;

/// Decodes raw cells `[5 * anchors, side, side]`: offsets within the cell pass through a sigmoid,
/// sizes are logarithms of multiples of the anchor (YOLO v2).
fn yolo(cells: &[f32], side: usize, anchors: &[[f32; 2]], least: f32) -> Vec<Found> {
    let plane = side * side;
    let mut found = Vec::new();
    for (values, anchor) in cells.chunks_exact(5 * plane).zip(anchors) {
        for cell in 0..plane {
            let raw = |field: usize| values[field * plane + cell];
            let score = sigmoid(raw(4));
            if score < least {
                continue;
            }
            let grid = side as f32;
            let width = raw(2).exp() * anchor[0] / grid;
            let height = raw(3).exp() * anchor[1] / grid;
            let x = ((cell % side) as f32 + sigmoid(raw(0))) / grid - width / 2.0;
            let y = ((cell / side) as f32 + sigmoid(raw(1))) / grid - height / 2.0;
            found.push(Found {
                score,
                area: Rect {
                    x,
                    y,
                    width,
                    height,
                },
            });
        }
    }
    found
}

/// Reads boxes `[n, 4]` (top, left, bottom, right) and scores `[n]`.
fn ssd(boxes: &[f32], scores: &[f32], least: f32) -> Vec<Found> {
    let pairs = boxes.as_chunks::<4>().0.iter().zip(scores);
    pairs
        .filter(|(_, score)| **score >= least)
        .map(|(&[top, left, bottom, right], score)| {
            let area = Rect {
                x: left,
                y: top,
                width: right - left,
                height: bottom - top,
            };
            Found {
                score: *score,
                area,
            }
        })
        .collect()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Best first, without boxes that share more than `same` with a better one (greedy suppression).
fn distinct(mut found: Vec<Found>, same: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for face in found {
        let sane = face.area.width.is_finite() && face.area.height.is_finite();
        if sane && kept.iter().all(|k| k.area.iou(&face.area) <= same) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yolo_cells_become_boxes() {
        // One anchor on a grid of two: cell (1, 0) is sure, the rest are not.
        let mut cells = vec![0.0; 5 * 4];
        cells[4 * 4..].fill(-9.0);
        cells[4 * 4 + 1] = 9.0;
        let found = yolo(&cells, 2, &[[1.0, 0.5]], 0.5);
        assert_eq!(found.len(), 1);
        // Centre in the middle of the cell (0.75, 0.25), half the grid wide, a quarter high.
        assert_eq!(
            found[0].area,
            Rect {
                x: 0.5,
                y: 0.125,
                width: 0.5,
                height: 0.25
            }
        );
    }

    #[test]
    fn the_better_of_two_boxes_on_one_face_stays() {
        let at = |x, score| Found {
            score,
            area: Rect {
                x,
                y: 0.0,
                width: 1.0,
                height: 1.0,
            },
        };
        let kept = distinct(vec![at(0.1, 0.6), at(0.0, 0.9), at(3.0, 0.7)], 0.4);
        assert_eq!(kept, [at(0.0, 0.9), at(3.0, 0.7)]);
    }

    #[test]
    fn boxes_without_a_size_are_dropped() {
        let odd = Found {
            score: 0.9,
            area: Rect {
                x: 0.0,
                y: 0.0,
                width: f32::INFINITY,
                height: 1.0,
            },
        };
        assert!(distinct(vec![odd], 0.4).is_empty());
    }
}
