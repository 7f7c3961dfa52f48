//! How like the skin of two frames is, once the mesh has undone how the head moved.
//!
//! A photo that is turned, bent or warped shows the same skin in every step, down to the last shadow. A
//! head that turns catches other light, hides one side of the nose and moves its skin.

use crate::geometry::Point;
use crate::image::Image;
use crate::mesh::{COUNT, Mesh, at};

/// Points in whose neighbourhoods skin is compared: nose, between the brows, cheeks, forehead, corners of eyes and
/// mouth.
const PLACES: [usize; 20] = [
    1, 4, 6, 9, 50, 280, 101, 330, 151, 103, 332, 205, 425, 61, 291, 33, 263, 52, 282, 197,
];
/// Points of the mesh that tell how a neighbourhood was moved and stretched.
const NEIGHBOURS: usize = 14;
/// Side of a neighbourhood, in units of the eyes' distance.
const EXTENT: f32 = 0.35;
/// Fields a side of a neighbourhood: so few that what a camera or a forger adds of noise is averaged away.
const FIELDS: usize = 8;
/// How far off the mesh may lie, in fields.
const SLACK: usize = 1;
/// Samples a side of a field.
const SAMPLES: usize = 4;
/// Deviation of brightness, of 255, beyond which a neighbourhood does not count for more: features would outvote
/// skin.
const MARKED: f32 = 15.0;

/// The skin of one frame.
pub(crate) struct Texture {
    places: Vec<Patch>,
    mesh: Vec<Point>,
    unit: f32,
}

/// The neighbourhood of one point.
struct Patch {
    center: usize,
    neighbours: [usize; NEIGHBOURS],
    fields: Vec<f32>,
}

/// How a neighbourhood was moved: `(x, y)` goes to `(a x + b y + c, d x + e y + f)`.
type Affine = [[f32; 3]; 2];

impl Texture {
    /// Of the face in a frame.
    pub(crate) fn of(image: &Image, mesh: &Mesh) -> Self {
        let points: Vec<Point> = (0..COUNT).map(|i| mesh.point(i)).collect();
        let (right, left) = (points[at::RIGHT_EYE[0]], points[at::LEFT_EYE[1]]);
        let unit = (left.x - right.x).hypot(left.y - right.y).max(1.0);
        let stays: Affine = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let places = PLACES.map(|center| {
            let drawn = drawn(image, points[center], unit, &stays, FIELDS);
            Patch {
                center,
                neighbours: nearest(&points, center),
                fields: levelled(&drawn),
            }
        });
        Self {
            places: places.into_iter().collect(),
            mesh: points,
            unit,
        }
    }

    /// How like the face in another frame is: the mean correlation of the neighbourhoods, the more marked the heavier. 1 is
    /// the same skin.
    ///
    /// Measured against a look straight ahead: other frames of six people have 0.71 to 0.97; the same picture moved by
    /// parts of a pixel, with noise of deviation 5 and a mesh off by a pixel, 0.98 and more.
    pub(crate) fn likeness(&self, image: &Image, mesh: &Mesh) -> f32 {
        let (mut sum, mut total) = (0.0, 0.0);
        for patch in &self.places {
            let weight = deviation(&patch.fields).min(MARKED).powi(2);
            if let Some(alike) = self.alike(patch, image, mesh) {
                sum += weight * alike;
                total += weight;
            }
        }
        // A face without features cannot be told from its copy.
        if total > 0.0 { sum / total } else { 1.0 }
    }

    /// The correlation of one neighbourhood, at the best place within the mesh's slack.
    fn alike(&self, patch: &Patch, image: &Image, mesh: &Mesh) -> Option<f32> {
        let pairs = patch.neighbours.map(|i| (self.mesh[i], mesh.point(i)));
        let moved = affine(&pairs)?;
        let wide = FIELDS + 2 * SLACK;
        let there = drawn(image, self.mesh[patch.center], self.unit, &moved, wide);
        let shifts = 0..=2 * SLACK;
        let all = shifts
            .clone()
            .flat_map(|dy| shifts.clone().map(move |dx| (dx, dy)));
        all.map(|(dx, dy)| {
            let part: Vec<f32> = (0..FIELDS * FIELDS)
                .map(|i| there[(i / FIELDS + dy) * wide + i % FIELDS + dx])
                .collect();
            correlation(&patch.fields, &levelled(&part))
        })
        .max_by(f32::total_cmp)
    }
}

/// Brightness of `count` by `count` fields around a point, seen where `moved` brings them.
fn drawn(image: &Image, center: Point, unit: f32, moved: &Affine, count: usize) -> Vec<f32> {
    let step = unit * EXTENT / (FIELDS * SAMPLES) as f32;
    let side = count * SAMPLES;
    let mut fields = vec![0.0; count * count];
    for i in 0..side * side {
        let (x, y) = (i % side, i / side);
        let away = |v: usize| (v as f32 + 0.5 - side as f32 / 2.0) * step;
        let (px, py) = (center.x + away(x), center.y + away(y));
        let [u, v] = moved.map(|[a, b, c]| a * px + b * py + c);
        let [r, g, b] = image.sample(u - 0.5, v - 0.5).map(f32::from);
        // Rec. 601 luma.
        fields[y / SAMPLES * count + x / SAMPLES] +=
            (0.299 * r + 0.587 * g + 0.114 * b) / (SAMPLES * SAMPLES) as f32;
    }
    fields
}

/// What is left of fields without their mean and slope, which light alone changes.
fn levelled(fields: &[f32]) -> Vec<f32> {
    let middle = (FIELDS as f32 - 1.0) / 2.0;
    let place = |i: usize| ((i % FIELDS) as f32 - middle, (i / FIELDS) as f32 - middle);
    let (mut mean, mut across, mut down, mut spread) = (0.0, 0.0, 0.0, 0.0);
    for (i, value) in fields.iter().enumerate() {
        let (x, y) = place(i);
        mean += value / fields.len() as f32;
        across += value * x;
        down += value * y;
        spread += x * x;
    }
    fields
        .iter()
        .enumerate()
        .map(|(i, value)| {
            let (x, y) = place(i);
            value - mean - (across * x + down * y) / spread
        })
        .collect()
}

fn deviation(fields: &[f32]) -> f32 {
    (fields.iter().map(|v| v * v).sum::<f32>() / fields.len() as f32).sqrt()
}

fn correlation(one: &[f32], two: &[f32]) -> f32 {
    let product: f32 = one.iter().zip(two).map(|(a, b)| a * b).sum();
    let power = deviation(one) * deviation(two) * one.len() as f32;
    product / power.max(f32::MIN_POSITIVE)
}

/// The points nearest to one, itself first.
fn nearest(points: &[Point], center: usize) -> [usize; NEIGHBOURS] {
    let away = |i: &usize| (points[*i].x - points[center].x).hypot(points[*i].y - points[center].y);
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| away(a).total_cmp(&away(b)));
    std::array::from_fn(|i| order[i])
}

/// The affine map that brings the first of each pair nearest to the second (least squares). `None` where the
/// points lie in a line.
fn affine(pairs: &[(Point, Point)]) -> Option<Affine> {
    let n = pairs.len() as f32;
    let mean = |of: fn(&(Point, Point)) -> f32| pairs.iter().map(of).sum::<f32>() / n;
    let from = [mean(|p| p.0.x), mean(|p| p.0.y)];
    let to = [mean(|p| p.1.x), mean(|p| p.1.y)];
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let mut cross = [[0.0; 2]; 2];
    for (p, q) in pairs {
        let (x, y) = (p.x - from[0], p.y - from[1]);
        xx += x * x;
        xy += x * y;
        yy += y * y;
        for (row, v) in cross.iter_mut().zip([q.x - to[0], q.y - to[1]]) {
            row[0] += v * x;
            row[1] += v * y;
        }
    }
    let det = xx * yy - xy * xy;
    if !(det.is_finite() && det > 1e-6) {
        return None;
    }
    let row = |i: usize| {
        let a = (cross[i][0] * yy - cross[i][1] * xy) / det;
        let b = (cross[i][1] * xx - cross[i][0] * xy) / det;
        [a, b, to[i] - a * from[0] - b * from[1]]
    };
    Some([row(0), row(1)])
}
