//! A simulated camera, and what an attacker holds before it: photos held at an angle or bent, faces on a screen.

use face::Image;
use jpeg_encoder::{ColorType, Encoder};
use rand::{RngExt as _, rngs::StdRng};

/// Distance of the camera from a picture held up to it, in units of the picture's longer side.
const CAMERA: f32 = 1.2;
/// Samples a side of each camera pixel of a screen.
const OVERSAMPLING: usize = 3;

/// How a flat photo is held.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeldPhoto {
    /// Turned to the side, degrees; positive shows it from its own left.
    pub yaw: f32,
    /// Tilted forwards or backwards, degrees.
    pub pitch: f32,
    /// Turned in its plane, degrees.
    pub roll: f32,
    /// Brought nearer: 1 fills the picture as the photo does.
    pub zoom: f32,
    /// Bent about its upright axis towards the camera: its width over the radius.
    pub bend: f32,
}

/// A photo as the camera sees it when held like that.
pub(super) fn held(photo: &Image, how: HeldPhoto) -> Image {
    let (width, height) = (photo.width(), photo.height());
    let focal = CAMERA * width.max(height) as f32;
    let away = focal / how.zoom.max(0.1);
    let turn = rotation(how);
    // The ray through each pixel is followed in the photo's own coordinates.
    let into = |v: [f32; 3]| -> [f32; 3] {
        std::array::from_fn(|i| (0..3).map(|j| turn[j][i] * v[j]).sum())
    };
    let eye = into([0.0, 0.0, -away]);
    drawn(
        width,
        height,
        |x, y| {
            let ray = into([x - width as f32 / 2.0, y - height as f32 / 2.0, focal]);
            let (u, v) = hit(eye, ray, how.bend / width as f32)?;
            Some((u + width as f32 / 2.0, v + height as f32 / 2.0))
        },
        photo,
    )
}

/// Rows of the rotation that turns the photo: about its upright axis, then its level one, then in its plane.
fn rotation(how: HeldPhoto) -> [[f32; 3]; 3] {
    let (sy, cy) = how.yaw.to_radians().sin_cos();
    let (sp, cp) = how.pitch.to_radians().sin_cos();
    let (sr, cr) = how.roll.to_radians().sin_cos();
    let upright = [[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]];
    let level = [[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]];
    let plane = [[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]];
    let times = |a: [[f32; 3]; 3], b: [[f32; 3]; 3]| -> [[f32; 3]; 3] {
        std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    };
    times(plane, times(level, upright))
}

/// Where a ray meets the photo, in its pixels from its middle: a plane, or a cylinder about an upright
/// axis behind it of curvature `bend`.
fn hit(eye: [f32; 3], ray: [f32; 3], bend: f32) -> Option<(f32, f32)> {
    if bend.abs() < 1e-6 {
        let t = -eye[2] / ray[2];
        return (t > 0.0).then(|| (eye[0] + t * ray[0], eye[1] + t * ray[1]));
    }
    let radius = 1.0 / bend;
    let (ox, oz) = (eye[0], eye[2] - radius);
    let a = ray[0] * ray[0] + ray[2] * ray[2];
    let b = 2.0 * (ox * ray[0] + oz * ray[2]);
    let c = ox * ox + oz * oz - radius * radius;
    let root = (b * b - 4.0 * a * c).sqrt();
    let t = (-b - root) / (2.0 * a);
    (root >= 0.0 && t > 0.0).then(|| {
        let (x, z) = (ox + t * ray[0], oz + t * ray[2]);
        (radius * x.atan2(-z), eye[1] + t * ray[1])
    })
}

/// A picture whose pixel at `(x, y)` is the photo's at `place(x, y)`; a wall where that is nowhere.
fn drawn(
    width: usize,
    height: usize,
    place: impl Fn(f32, f32) -> Option<(f32, f32)>,
    photo: &Image,
) -> Image {
    Image::painted(width, height, |x, y| {
        match place(x as f32 + 0.5, y as f32 + 0.5) {
            Some((u, v)) if inside(photo, u, v) => photo.sample(u - 0.5, v - 0.5),
            _ => [92, 96, 101],
        }
    })
}

fn inside(photo: &Image, x: f32, y: f32) -> bool {
    (0.0..photo.width() as f32).contains(&x) && (0.0..photo.height() as f32).contains(&y)
}

/// A screen and the camera before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    /// Width of one of the screen's pixels in pixels of the camera.
    pub pitch: f32,
    /// How the screen is turned in its plane, degrees.
    pub angle: f32,
    /// Blur of the camera, deviation in its pixels.
    pub blur: f32,
    /// Whether the screen's edge is in the picture.
    pub bezel: bool,
}

impl Screen {
    /// Any screen an attacker may use, from a phone near the camera to a large monitor.
    pub(super) fn any(random: &mut StdRng) -> Self {
        Self {
            pitch: random.random_range(0.8..2.6),
            angle: random.random_range(-7.0..7.0),
            blur: random.random_range(0.35..0.75),
            bezel: random.random_range(0..2) == 0,
        }
    }
}

/// A picture shown on a screen, as a camera of the same size sees it.
///
/// Each pixel of the screen is three upright bars of red, green and blue with dark gaps; what reaches a
/// pixel of the camera is the light over its area after the lens's blur. Where both grids nearly agree they
/// beat: moiré.
pub(super) fn on_screen(shown: &Image, screen: Screen) -> Image {
    let (width, height) = (shown.width(), shown.height());
    let (w, h) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let (sin, cos) = screen.angle.to_radians().sin_cos();
    let fill = if screen.bezel { 0.8 } else { 1.15 };
    let mut light = vec![[0.0_f32; 3]; w * h];
    for (i, pixel) in light.iter_mut().enumerate() {
        let x = ((i % w) as f32 + 0.5) / OVERSAMPLING as f32 - width as f32 / 2.0;
        let y = ((i / w) as f32 + 0.5) / OVERSAMPLING as f32 - height as f32 / 2.0;
        let (u, v) = (x * cos + y * sin, -x * sin + y * cos);
        *pixel = glow(shown, screen, (u, v), fill);
    }
    let blurred = blur(&light, w, h, screen.blur * OVERSAMPLING as f32);
    Image::painted(width, height, |x, y| mean_light(&blurred, w, x, y))
}

/// Light from a point of the screen, its frame, or the room behind it; the point in camera pixels from
/// the screen's middle.
fn glow(shown: &Image, screen: Screen, (x, y): (f32, f32), fill: f32) -> [f32; 3] {
    let (half_w, half_h) = (
        shown.width() as f32 / 2.0 * fill,
        shown.height() as f32 / 2.0 * fill,
    );
    let within = |grow: f32| x.abs() < half_w * grow && y.abs() < half_h * grow;
    if screen.bezel && !within(1.0) {
        let room = 0.35 + 0.1 * (x / half_w);
        return if within(1.07) {
            [0.01; 3]
        } else {
            [room, room * 1.05, room * 0.9]
        };
    }
    let (u, v) = (
        x / fill + shown.width() as f32 / 2.0,
        y / fill + shown.height() as f32 / 2.0,
    );
    let colour = shown.sample(u - 0.5, v - 0.5);
    let (column, row) = (
        (x / screen.pitch).rem_euclid(1.0),
        (y / screen.pitch).rem_euclid(1.0),
    );
    std::array::from_fn(|c| {
        let bar = (column * 3.0 - c as f32 - 0.5).abs() < 0.42 && (row - 0.5).abs() < 0.43;
        // The bars cover about a quarter of the screen's area each; their light is that much stronger.
        let strength = if bar { 1.0 / (0.28 * 0.86) } else { 0.0 };
        (f32::from(colour[c]) / 255.0).powf(2.2) * strength * 0.85 + 0.01
    })
}

/// Gaussian blur, one direction after the other.
fn blur(light: &[[f32; 3]], w: usize, h: usize, deviation: f32) -> Vec<[f32; 3]> {
    let reach = (deviation * 3.0).ceil() as isize;
    let weights: Vec<f32> = (-reach..=reach)
        .map(|d| (-0.5 * (d as f32 / deviation).powi(2)).exp())
        .collect();
    let total: f32 = weights.iter().sum();
    let pass = |from: &[[f32; 3]], step_x: isize, step_y: isize| -> Vec<[f32; 3]> {
        (0..w * h)
            .map(|i| {
                let (x, y) = ((i % w) as isize, (i / w) as isize);
                let mut sum = [0.0; 3];
                for (weight, d) in weights.iter().zip(-reach..=reach) {
                    let x = (x + d * step_x).clamp(0, w as isize - 1) as usize;
                    let y = (y + d * step_y).clamp(0, h as isize - 1) as usize;
                    for (s, v) in sum.iter_mut().zip(from[y * w + x]) {
                        *s += weight * v / total;
                    }
                }
                sum
            })
            .collect()
    };
    pass(&pass(light, 1, 0), 0, 1)
}

fn mean_light(light: &[[f32; 3]], w: usize, x: usize, y: usize) -> [u8; 3] {
    let mut sum = [0.0_f32; 3];
    for dy in 0..OVERSAMPLING {
        for dx in 0..OVERSAMPLING {
            let at = (y * OVERSAMPLING + dy) * w + x * OVERSAMPLING + dx;
            for (s, v) in sum.iter_mut().zip(light[at]) {
                *s += v;
            }
        }
    }
    let count = (OVERSAMPLING * OVERSAMPLING) as f32;
    sum.map(|s| (255.0 * (s / count).clamp(0.0, 1.0).powf(1.0 / 2.2)) as u8)
}

/// A picture brightened by a factor, with noise of this deviation.
pub(super) fn noisy(image: &Image, strength: f32, light: f32, random: &mut StdRng) -> Image {
    let count = image.width() * image.height();
    // The sum of three even draws is near enough to a Gaussian of deviation 1.
    let noise: Vec<f32> = (0..count)
        .map(|_| (0..3).map(|_| random.random_range(-1.0..1.0_f32)).sum())
        .collect();
    Image::painted(image.width(), image.height(), |x, y| {
        let more = strength * noise[y * image.width() + x];
        let colour = image.sample(x as f32, y as f32);
        colour.map(|v| (f32::from(v) * light + more).clamp(0.0, 255.0) as u8)
    })
}

/// The bytes of a JPEG file.
pub(super) fn jpeg(image: &Image, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (Ok(width), Ok(height)) = (u16::try_from(image.width()), u16::try_from(image.height()))
    else {
        return bytes;
    };
    // Fails only for sizes that do not match, and then what is left is no photo, as it should be.
    let _ = Encoder::new(&mut bytes, quality).encode(image.data(), width, height, ColorType::Rgb);
    bytes
}
