//! How like the skin of two frames is, once it is undone how the head moved.
//!
//! A photo that is turned, bent or warped shows the same skin in every step, down to the last shadow. A
//! head that turns catches other light, hides one side of the nose and moves its skin; lids that close cover the eyes.

use zeroize::Zeroizing;

use super::registration::{Affine, FIELDS, Fields, Landmark, joined};
use crate::geometry::Point;
use crate::image::Image;
use crate::mesh::{COUNT, Mesh, at};

/// Points in whose neighbourhoods faces are compared: nose, brows, cheeks and forehead; lids and corners of the eyes;
/// lips.
const PLACES: [usize; 36] = [
    1, 4, 6, 9, 50, 280, 101, 330, 151, 103, 332, 205, 425, 52, 282, 197, //
    159, 386, 145, 374, 27, 257, 23, 253, 33, 263, 133, 362, //
    13, 14, 0, 17, 78, 308, 61, 291,
];
/// Points of the mesh that tell how a neighbourhood was moved and stretched.
const NEIGHBOURS: usize = 14;
/// Side of a neighbourhood, in units of the eyes' distance.
const EXTENT: f32 = 0.35;
/// Room around the mesh that the neighbourhoods may reach, in units of the eyes' distance.
const AROUND: f32 = 0.5;
/// Samples a side of a field.
const SAMPLES: usize = 4;
/// How often a neighbourhood is moved on to where it fits better, for the mesh tells only about where it went.
const LOOKS: usize = 4;
/// Farthest that it is moved, in units of the eyes' distance, and most that it is stretched: beyond, it would be found in
/// what is something else.
const FARTHEST: f32 = 0.12;
const STRETCHED: f32 = 0.35;

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
    landmark: Landmark,
}

impl Texture {
    /// Of the face in a frame.
    pub(crate) fn of(image: &Image, mesh: &Mesh) -> Self {
        let points: Vec<Point> = (0..COUNT).map(|i| mesh.point(i)).collect();
        let unit = eyes_apart(mesh);
        let light = Light::on(image, mesh);
        let places = PLACES.map(|center| Patch {
            center,
            neighbours: nearest(&points, center),
            landmark: Landmark::new(&light.drawn(&around(points[center], unit)), EXTENT),
        });
        Self {
            places: places.into_iter().collect(),
            mesh: points,
            unit,
        }
    }

    /// How like the face in another frame is: the correlation that a third of the neighbourhoods exceed, each where it
    /// fits best. 1 is the same face in the same moment. So many must be alike because the eyes behind a mask live, and what
    /// is bent hides a side; so few because much of a face stays when it blinks.
    pub(crate) fn likeness(&self, image: &Image, mesh: &Mesh) -> f32 {
        let light = Light::on(image, mesh);
        let alike = |patch| self.alike(patch, &light, mesh);
        let mut all: Vec<f32> = self.places.iter().filter_map(alike).collect();
        all.sort_by(f32::total_cmp);
        // A face that cannot be compared cannot be told from its copy.
        all.get(2 * all.len() / 3).copied().unwrap_or(1.0)
    }

    /// The correlation of one neighbourhood, at the best place near to where the mesh says it is.
    fn alike(&self, patch: &Patch, light: &Light, mesh: &Mesh) -> Option<f32> {
        let pairs = patch.neighbours.map(|i| (self.mesh[i], mesh.point(i)));
        let by_mesh = joined(
            &around(self.mesh[patch.center], self.unit),
            &affine(&pairs)?,
        );
        let mut seen = light.drawn(&by_mesh);
        let mut alike = patch.landmark.likeness(&seen);
        let mut moved: Affine = STAYS;
        for _ in 0..LOOKS {
            let Some(better) = patch.landmark.correction(&seen) else {
                break;
            };
            moved = joined(&better, &moved);
            if !is_near(&moved) {
                break;
            }
            seen = light.drawn(&joined(&moved, &by_mesh));
            alike = alike.max(patch.landmark.likeness(&seen));
        }
        Some(alike)
    }
}

const STAYS: Affine = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

/// Whether it moves a neighbourhood but a little.
fn is_near(moved: &Affine) -> bool {
    let off = |i: usize, j: usize| (moved[i][j] - STAYS[i][j]).abs();
    (0..2).all(|i| off(i, 0) <= STRETCHED && off(i, 1) <= STRETCHED && off(i, 2) <= FARTHEST)
}

/// From units of the eyes' distance around a point to pixels.
fn around(center: Point, unit: f32) -> Affine {
    [[unit, 0.0, center.x], [0.0, unit, center.y]]
}

/// Between the outer corners of the eyes, in pixels.
fn eyes_apart(mesh: &Mesh) -> f32 {
    let (right, left) = (mesh.point(at::RIGHT_EYE[0]), mesh.point(at::LEFT_EYE[1]));
    (left.x - right.x).hypot(left.y - right.y).max(1.0)
}

/// Brightness of the part of a picture in which a face lies: told once, for each place is looked at several times. Beyond it
/// its edge goes on.
struct Light {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    values: Zeroizing<Vec<f32>>,
}

impl Light {
    fn on(image: &Image, mesh: &Mesh) -> Self {
        let room = AROUND * eyes_apart(mesh);
        let part = |of: fn(Point) -> f32, length: usize| {
            let (low, high) = mesh
                .outline()
                .map(of)
                .fold((f32::MAX, f32::MIN), |(low, high), v| {
                    (low.min(v), high.max(v))
                });
            let from = ((low - room).max(0.0) as usize).min(length - 1);
            from..((high + room).max(0.0) as usize).clamp(from + 1, length)
        };
        let (across, down) = (part(|p| p.x, image.width()), part(|p| p.y, image.height()));
        let pixels = image.data().as_chunks::<3>().0;
        // Rec. 601 luma.
        let luma = |[r, g, b]: &[u8; 3]| {
            0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)
        };
        let mut values = Zeroizing::new(Vec::with_capacity(across.len() * down.len()));
        for y in down.clone() {
            let row = &pixels[y * image.width()..][across.clone()];
            values.extend(row.iter().map(luma));
        }
        Self {
            left: across.start,
            top: down.start,
            width: across.len(),
            height: down.len(),
            values,
        }
    }

    /// The fields of a neighbourhood, seen where `map` brings them.
    fn drawn(&self, map: &Affine) -> Fields {
        const SIDE: usize = FIELDS * SAMPLES;
        let away = |at: usize| ((at as f32 + 0.5) / SIDE as f32 - 0.5) * EXTENT;
        let mut fields = [0.0; FIELDS * FIELDS];
        for row in 0..SIDE {
            let y = away(row);
            for column in 0..SIDE {
                let [u, v] = map.map(|[a, b, c]| a * away(column) + b * y + c);
                fields[row / SAMPLES * FIELDS + column / SAMPLES] +=
                    self.at(u - 0.5, v - 0.5) / (SAMPLES * SAMPLES) as f32;
            }
        }
        fields
    }

    /// Between pixel centres of the picture: 0 is the first of a row or column.
    fn at(&self, x: f32, y: f32) -> f32 {
        let place = |v: f32, from: usize, length: usize| {
            let v = (v - from as f32).clamp(0.0, (length - 1) as f32);
            let whole = v as i32 as usize;
            (whole, (whole + 1).min(length - 1), v - whole as f32)
        };
        let (left, right, across) = place(x, self.left, self.width);
        let (top, bottom, down) = place(y, self.top, self.height);
        let row = |y: usize| {
            let row = &self.values[y * self.width..][..self.width];
            row[left] + (row[right] - row[left]) * across
        };
        let (above, below) = (row(top), row(bottom));
        above + (below - above) * down
    }
}

/// The points nearest to one, itself first.
fn nearest(points: &[Point], center: usize) -> [usize; NEIGHBOURS] {
    let away = |p: &Point| (p.x - points[center].x).powi(2) + (p.y - points[center].y).powi(2);
    let mut order: Vec<(f32, usize)> = points.iter().map(away).zip(0..).collect();
    let nearer = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if order.len() > NEIGHBOURS {
        order.select_nth_unstable_by(NEIGHBOURS, nearer);
        order.truncate(NEIGHBOURS);
    }
    order.sort_by(nearer);
    std::array::from_fn(|i| order[i].1)
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
