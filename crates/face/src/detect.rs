//! Where the faces are.

use crate::PhotoError;
use crate::geometry::{Point, Rect};
use crate::image::{Framed, Image, View};
use crate::net::{Net, NetError};
use crate::pack::manifest::{DetectorKind, DetectorSpec, Scores};
use crate::points::FivePoints;
use crate::timings::Work;

/// Room around the picture, in units of its longer side, so that a face that fills or overflows it is
/// found. Measured on 36 photos: without it a detector misses up to 14 of them.
pub(crate) const MARGIN: f32 = 0.35;
/// Boxes that share more than this of their joint area are the same face; the better one stays.
/// The values the networks were published with.
const YOLO_SAME: f32 = 0.4;
const SSD_SAME: f32 = 0.5;
const YUNET_SAME: f32 = 0.3;

/// A face in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    /// The network's confidence, 0 to 1. Detectors are not calibrated against each other.
    pub score: f32,
    /// In the picture's pixels; may reach beyond its edges.
    pub area: Rect,
    /// Eyes, nose and mouth, from detectors that tell, in the picture's pixels.
    pub points: Option<FivePoints>,
    /// By how much the head is tilted clockwise, roughly, in radians: the turn of the view it was found in.
    pub turn: f32,
}

impl Found {
    /// The same face in a copy of the picture, `by` times as large.
    pub(crate) fn scaled(&self, by: f32) -> Self {
        let Rect {
            x,
            y,
            width,
            height,
        } = self.area;
        let near = |p: Point| Point::new(p.x * by, p.y * by);
        Self {
            area: Rect {
                x: x * by,
                y: y * by,
                width: width * by,
                height: height * by,
            },
            points: self.points.map(|points| points.map(near)),
            ..*self
        }
    }
}

#[cfg(test)]
impl Found {
    /// An upright face `side` pixels wide on the picture's upper edge.
    pub(crate) fn at(x: f32, side: f32, score: f32) -> Self {
        Self {
            score,
            area: Rect {
                x,
                y: 0.0,
                width: side,
                height: side,
            },
            points: None,
            turn: 0.0,
        }
    }
}

/// A network that finds the boxes of faces.
pub(crate) struct Detector {
    net: Net,
    kind: DetectorKind,
    anchors: Vec<[f32; 2]>,
    scores: Scores,
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
            DetectorKind::Yunet => {
                let shapes = yunet_shapes(side);
                let shapes: Vec<&[usize]> = shapes.iter().map(<[_; 3]>::as_slice).collect();
                Net::load(bytes, spec.input.clone(), &shapes)?
            }
        };
        Ok(Self {
            net,
            kind: spec.kind,
            anchors: spec.anchors.clone(),
            scores: spec.scores(),
        })
    }

    /// The network's runs so far.
    pub(crate) fn work(&self) -> Work {
        self.net.work()
    }

    /// What a run of the network costs, in multiplications.
    pub(crate) fn cost(&self) -> u64 {
        self.net.cost()
    }

    /// From which scores on to believe this detector.
    pub(crate) fn scores(&self) -> Scores {
        self.scores
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
        self.found_in(&framed, 0.0, least)
    }

    /// The faces in a part of the picture, perhaps turned, with at least confidence `least`, best first.
    pub(crate) fn look(
        &self,
        image: &Image,
        view: View,
        least: f32,
    ) -> Result<Vec<Found>, PhotoError> {
        let framed = Framed::view(image, self.net.side(), view)?;
        self.found_in(&framed, view.turn, least)
    }

    fn found_in(&self, framed: &Framed, turn: f32, least: f32) -> Result<Vec<Found>, PhotoError> {
        let outputs = self.net.run(&framed.image)?;
        let mut found = self.decode(&outputs, least);
        for face in &mut found {
            face.area = framed.to_source(face.area);
            face.points = face
                .points
                .map(|points| points.map(|p| framed.point_to_source(p)));
            face.turn = turn;
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
            (DetectorKind::Yunet, outputs) => {
                distinct(yunet(outputs, self.net.side(), least), YUNET_SAME)
            }
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
                points: None,
                turn: 0.0,
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
                points: None,
                turn: 0.0,
            }
        })
        .collect()
}

/// Pixels per cell of YuNet's three grids.
const YUNET_STRIDES: [usize; 3] = [8, 16, 32];
/// Numbers per cell of its four kinds of output: class, object, box, points.
const YUNET_FIELDS: [usize; 4] = [1, 1, 4, 10];

/// The shapes of YuNet's twelve outputs, kind by kind.
fn yunet_shapes(side: usize) -> Vec<[usize; 3]> {
    YUNET_FIELDS
        .into_iter()
        .flat_map(|fields| YUNET_STRIDES.map(|stride| [1, (side / stride).pow(2), fields]))
        .collect()
}

/// Reads YuNet's outputs, as OpenCV's `FaceDetectorYN` does: the score is the geometric mean of class and
/// object score; the box's centre and the points are offsets from the cell, in cells; its size is the
/// logarithm of the size in cells.
fn yunet(outputs: &[Vec<f32>], side: usize, least: f32) -> Vec<Found> {
    let mut found = Vec::new();
    for (level, stride) in YUNET_STRIDES.into_iter().enumerate() {
        let output = |kind: usize| {
            let output = outputs.get(kind * YUNET_STRIDES.len() + level);
            output.map_or(&[][..], Vec::as_slice)
        };
        let cells = side / stride;
        let unit = stride as f32 / side as f32;
        let values = output(0).iter().zip(output(1));
        let places = output(2)
            .as_chunks::<4>()
            .0
            .iter()
            .zip(output(3).as_chunks::<10>().0);
        for (cell, ((class, object), (area, points))) in values.zip(places).enumerate() {
            let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            if score < least {
                continue;
            }
            let (column, row) = ((cell % cells) as f32, (cell / cells) as f32);
            let (width, height) = (area[2].exp() * unit, area[3].exp() * unit);
            let point = |i: usize| {
                let at = |i: usize| points.get(i).copied().unwrap_or(0.0);
                Point::new((at(2 * i) + column) * unit, (at(2 * i + 1) + row) * unit)
            };
            found.push(Found {
                score,
                area: Rect {
                    x: (column + area[0]) * unit - width / 2.0,
                    y: (row + area[1]) * unit - height / 2.0,
                    width,
                    height,
                },
                points: Some(std::array::from_fn(point)),
                turn: 0.0,
            });
        }
    }
    found
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The faces seen in several views of one picture: best first, each face once.
pub(crate) fn merged(found: Vec<Found>) -> Vec<Found> {
    distinct(found, YOLO_SAME)
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
    fn yunet_cells_become_boxes_and_points() {
        let mut outputs: Vec<Vec<f32>> = yunet_shapes(64)
            .iter()
            .map(|shape| vec![0.0; shape.iter().product()])
            .collect();
        // Stride 16 of 64 pixels: cell 6 is column 2, row 1.
        outputs[1][6] = 0.81;
        outputs[4][6] = 1.0;
        outputs[7][24..28].copy_from_slice(&[0.5, 0.25, 2.0_f32.ln(), 3.0_f32.ln()]);
        outputs[10][60..62].copy_from_slice(&[0.5, -0.5]);
        let found = yunet(&outputs, 64, 0.5);
        assert_eq!(found.len(), 1);
        let Found {
            score,
            area,
            points,
            ..
        } = found[0];
        assert!((score - 0.9).abs() < 1e-6);
        // Centre (40, 20) and size (32, 48) of 64 pixels.
        let wanted = [24.0, -4.0, 32.0, 48.0].map(|v| v / 64.0);
        for (got, wanted) in [area.x, area.y, area.width, area.height]
            .into_iter()
            .zip(wanted)
        {
            assert!((got - wanted).abs() < 1e-6, "{area:?}");
        }
        let eye = points.unwrap()[0];
        assert_eq!((eye.x, eye.y), (40.0 / 64.0, 8.0 / 64.0));
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
            points: None,
            turn: 0.0,
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
            points: None,
            turn: 0.0,
        };
        assert!(distinct(vec![odd], 0.4).is_empty());
    }
}
