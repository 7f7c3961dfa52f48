//! A photo made to move: its pixels are drawn along with the points of the face's mesh, as simple programs that
//! animate photos do.

use face::Image;
use face::liveness::Action;
use rand::{RngExt as _, rngs::StdRng};

/// Upper lid, from corner to corner, of both eyes, and the lower lid below each of its points.
const LIDS: [(usize, usize); 14] = [
    (246, 7),
    (161, 163),
    (160, 144),
    (159, 145),
    (158, 153),
    (157, 154),
    (173, 155),
    (466, 249),
    (388, 390),
    (387, 373),
    (386, 374),
    (385, 380),
    (384, 381),
    (398, 382),
];
/// Inner edge of the lower lip, its outer edge, and the chin.
const JAW: [usize; 24] = [
    95, 88, 178, 87, 14, 317, 402, 318, 324, 146, 91, 181, 84, 17, 314, 405, 321, 375, 152, 148,
    377, 176, 400, 199,
];
/// Inner edge of the upper lip.
const UPPER_LIP: [usize; 9] = [191, 80, 81, 82, 13, 312, 311, 310, 415];
/// The face's outline: what lies beyond it stays.
const OUTLINE: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
/// Pixels between the points where the movement is computed.
const GRID: usize = 4;
/// How far beyond the outline nothing moves any more, in units of the face's size.
const BEYOND: f32 = 1.7;

/// A photo warped as an action asks.
pub(super) fn warped(
    photo: &Image,
    mesh: &[[f32; 3]],
    action: Action,
    random: &mut StdRng,
) -> Image {
    let eyes = {
        let (a, b) = (mesh[33], mesh[263]);
        (a[0] - b[0]).hypot(a[1] - b[1])
    };
    let mut to = mesh.to_vec();
    // Nobody holds quite still, and a forger knows it.
    let mut yaw = random.random_range(-1.5..1.5_f32);
    let mut pitch = random.random_range(-1.5..1.5_f32);
    match action {
        Action::TurnLeft => yaw += random.random_range(14.0..30.0),
        Action::TurnRight => yaw -= random.random_range(14.0..30.0),
        Action::LookUp => pitch += random.random_range(8.0..20.0),
        Action::Blink => {
            let shut = random.random_range(0.75..1.0);
            for (upper, lower) in LIDS {
                let y = mesh[upper][1] + shut * (mesh[lower][1] - mesh[upper][1]);
                to[upper][1] = y;
            }
        }
        Action::OpenMouth => {
            let open = eyes * random.random_range(0.14..0.3);
            for point in JAW {
                to[point][1] += open;
            }
        }
        Action::LookStraight | Action::ComeCloser => {}
    }
    turn(&mut to, yaw, pitch);
    let zoom = if action == Action::ComeCloser {
        random.random_range(1.3..1.5)
    } else {
        1.0
    };
    let mouth = (action == Action::OpenMouth && random.random_range(0..2) == 0)
        .then(|| UPPER_LIP.map(|i| to[i]).to_vec());
    let moves = Moves::of(mesh, &to, photo, zoom);
    let cavity = mouth.map(|upper| {
        (
            upper,
            [95, 88, 178, 87, 14, 317, 402, 318, 324].map(|i| to[i]),
        )
    });
    Image::painted(photo.width(), photo.height(), |x, y| {
        let (px, py) = moves.before_zoom(x as f32 + 0.5, y as f32 + 0.5);
        if let Some((upper, lower)) = &cavity
            && between(upper, lower, px, py)
        {
            return [48, 22, 22];
        }
        let [dx, dy] = moves.at(px, py);
        photo.sample(px + dx - 0.5, py + dy - 0.5)
    })
}

/// Whether a point lies in the open mouth.
fn between(upper: &[[f32; 3]], lower: &[[f32; 3]], x: f32, y: f32) -> bool {
    let edge = |lip: &[[f32; 3]]| {
        lip.windows(2).find_map(|pair| {
            let (a, b) = (pair[0], pair[1]);
            let t = (x - a[0]) / (b[0] - a[0]);
            (0.0..=1.0).contains(&t).then(|| a[1] + t * (b[1] - a[1]))
        })
    };
    matches!((edge(upper), edge(lower)), (Some(top), Some(bottom)) if y > top && y < bottom)
}

/// Turns the points about the middle of the head; positive to the person's left and up.
fn turn(points: &mut [[f32; 3]], yaw: f32, pitch: f32) {
    let (a, b) = (points[234], points[454]);
    let middle: [f32; 3] = std::array::from_fn(|i| (a[i] + b[i]) / 2.0);
    let (sy, cy) = yaw.to_radians().sin_cos();
    let (sp, cp) = pitch.to_radians().sin_cos();
    for p in points {
        let [x, y, z]: [f32; 3] = std::array::from_fn(|i| p[i] - middle[i]);
        // Depth grows away from the camera: a nose, in front, goes to the picture's right with the person's left.
        let (x, z) = (x * cy - z * sy, x * sy + z * cy);
        let (y, z) = (y * cp + z * sp, z * cp - y * sp);
        *p = [x + middle[0], y + middle[1], z + middle[2]];
    }
}

/// Where each place of the warped picture comes from.
struct Moves {
    columns: usize,
    by: Vec<[f32; 2]>,
    center: [f32; 2],
    zoom: f32,
}

impl Moves {
    fn of(from: &[[f32; 3]], to: &[[f32; 3]], photo: &Image, zoom: f32) -> Self {
        let count = to.len() as f32;
        let center = [0, 1].map(|i| to.iter().map(|p| p[i]).sum::<f32>() / count);
        let mut anchors: Vec<([f32; 2], [f32; 2])> = to
            .iter()
            .zip(from)
            .map(|(t, f)| ([t[0], t[1]], [f[0] - t[0], f[1] - t[1]]))
            .collect();
        for i in OUTLINE {
            let out = [0, 1].map(|k| center[k] + BEYOND * (from[i][k] - center[k]));
            anchors.push((out, [0.0; 2]));
        }
        let (columns, rows) = (photo.width() / GRID + 2, photo.height() / GRID + 2);
        let by = (0..columns * rows)
            .map(|i| {
                let at = [(i % columns * GRID) as f32, (i / columns * GRID) as f32];
                blended(&anchors, at)
            })
            .collect();
        Self {
            columns,
            by,
            center,
            zoom,
        }
    }

    fn before_zoom(&self, x: f32, y: f32) -> (f32, f32) {
        let [cx, cy] = self.center;
        (cx + (x - cx) / self.zoom, cy + (y - cy) / self.zoom)
    }

    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let rows = self.by.len() / self.columns;
        let (gx, gy) = (
            (x / GRID as f32).clamp(0.0, (self.columns - 2) as f32),
            (y / GRID as f32).clamp(0.0, (rows - 2) as f32),
        );
        let (i, j) = (gx as usize, gy as usize);
        let (fx, fy) = (gx - i as f32, gy - j as f32);
        let get = |i: usize, j: usize| self.by[j * self.columns + i];
        std::array::from_fn(|k| {
            (get(i, j)[k] * (1.0 - fx) + get(i + 1, j)[k] * fx) * (1.0 - fy)
                + (get(i, j + 1)[k] * (1.0 - fx) + get(i + 1, j + 1)[k] * fx) * fy
        })
    }
}

/// The movement at a place: that of the points around it, the nearer the more (inverse fourth power of the distance).
fn blended(anchors: &[([f32; 2], [f32; 2])], at: [f32; 2]) -> [f32; 2] {
    let (mut sum, mut total) = ([0.0; 2], 0.0);
    for (place, by) in anchors {
        let square = (place[0] - at[0]).powi(2) + (place[1] - at[1]).powi(2) + 0.25;
        let weight = 1.0 / (square * square);
        total += weight;
        sum = [sum[0] + weight * by[0], sum[1] + weight * by[1]];
    }
    sum.map(|v| v / total)
}
