//! What can happen to a photo of a face on its way to us, made from good photos.

use crate::geometry::{Point, Similarity};
use crate::image::{self, Image, Limits};

/// A picture and where its face is: the similarity from dlib's mean shape, in units of its box.
pub(super) struct FacePhoto {
    pub image: Image,
    pub face: Similarity,
}

/// The face from forehead to chin is this much larger than the box of dlib's mean shape.
const WHOLE: f32 = 1.3;
/// Middle of the whole face in units of that box.
const MIDDLE: Point = Point::new(0.49, 0.45);

impl FacePhoto {
    /// Side of the whole face, in pixels.
    pub(super) fn side(&self) -> f32 {
        self.face.scale() * WHOLE
    }

    pub(super) fn middle(&self) -> Point {
        self.face.apply(MIDDLE)
    }

    /// The same face in the picture that `to_here` draws from this one, `width` by `height` pixels;
    /// beyond the edges the last pixel goes on.
    fn redrawn(&self, to_here: Similarity, width: usize, height: usize) -> Self {
        // Shrink first, as far as the drawing shrinks: sampling alone would alias.
        let step = to_here.scale();
        let (source, to_source) = if step > 1.3 {
            let w = ((self.image.width() as f32 / step).round() as usize).max(1);
            let h = ((self.image.height() as f32 / step).round() as usize).max(1);
            let small = self.image.resized(self.image.frame(), w, h).unwrap();
            (Some(small), scaled(to_here, 1.0 / step))
        } else {
            (None, to_here)
        };
        let source = source.as_ref().unwrap_or(&self.image);
        let data = (0..width * height)
            .flat_map(|i| {
                let p = Point::new((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
                let p = to_source.apply(p);
                sample(source, p.x - 0.5, p.y - 0.5)
            })
            .collect();
        Self {
            image: Image::new(width, height, data).unwrap(),
            face: after(inverse(to_here), self.face),
        }
    }

    /// The picture cut to a square `part` times the whole face's side around it.
    pub(super) fn cut(&self, part: f32) -> Self {
        let side = (self.side() * part).round();
        let m = self.middle();
        let shift = Similarity {
            a: 1.0,
            b: 0.0,
            tx: m.x - side / 2.0,
            ty: m.y - side / 2.0,
        };
        self.redrawn(shift, side as usize, side as usize)
    }

    /// The face drawn `side` pixels large at `at` (0 to 1) of a picture of the given size; the photo's edges
    /// go on.
    pub(super) fn on_canvas(&self, side: f32, at: (f32, f32), width: usize, height: usize) -> Self {
        let step = self.side() / side;
        let m = self.middle();
        let to_here = Similarity {
            a: step,
            b: 0.0,
            tx: m.x - at.0 * width as f32 * step,
            ty: m.y - at.1 * height as f32 * step,
        };
        self.redrawn(to_here, width, height)
    }

    /// Turned by `degrees` in a picture 2.6 faces wide.
    pub(super) fn tilted(&self, degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let side = (self.side() * 2.6).min(600.0);
        let step = self.side() * 2.6 / side;
        let m = self.middle();
        let (a, b) = (cos * step, sin * step);
        let half = side / 2.0;
        let to_here = Similarity {
            a,
            b,
            tx: m.x - (a * half - b * half),
            ty: m.y - (b * half + a * half),
        };
        self.redrawn(to_here, side as usize, side as usize)
    }

    /// Every pixel changed: `change` gets its place in units of the whole face around the face's
    /// middle, and a channel's value from 0 to 1.
    pub(super) fn lit(&self, change: impl Fn(Point, f32) -> f32) -> Self {
        let (m, side) = (self.middle(), self.side());
        let width = self.image.width();
        let data = self
            .image
            .data()
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let (x, y) = ((i / 3 % width) as f32, (i / 3 / width) as f32);
                let place = Point::new((x - m.x) / side, (y - m.y) / side);
                (change(place, f32::from(*v) / 255.0) * 255.0).round() as u8
            })
            .collect();
        self.with(Image::new(width, self.image.height(), data).unwrap())
    }

    pub(super) fn noisy(&self, deviation: f32) -> Self {
        self.with(noisy(&self.image, deviation))
    }

    /// As a JPEG of the given quality shows it.
    pub(super) fn compressed(&self, quality: u16) -> Self {
        self.with(compressed(&self.image, quality))
    }

    /// Another photo pasted `width` pixels wide with its corner at `(x, y)`.
    pub(super) fn pasted(&self, other: &Self, width: usize, x: usize, y: usize) -> Self {
        let height = other.image.height() * width / other.image.width();
        let small = other
            .image
            .resized(other.image.frame(), width, height)
            .unwrap();
        let mut data = self.image.data().to_vec();
        let stride = self.image.width() * 3;
        for (row, line) in small.data().chunks_exact(width * 3).enumerate() {
            let at = (y + row) * stride + x * 3;
            data[at..at + line.len()].copy_from_slice(line);
        }
        self.with(Image::new(self.image.width(), self.image.height(), data).unwrap())
    }

    fn with(&self, image: Image) -> Self {
        Self {
            image,
            face: self.face,
        }
    }
}

fn sample(image: &Image, x: f32, y: f32) -> [u8; 3] {
    let (w, h) = (image.width() as f32 - 1.0, image.height() as f32 - 1.0);
    let (x, y) = (x.clamp(0.0, w), y.clamp(0.0, h));
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let at = |x: f32, y: f32, c: usize| {
        let i = (y.min(h) as usize * image.width() + x.min(w) as usize) * 3 + c;
        f32::from(image.data()[i])
    };
    std::array::from_fn(|c| {
        let top = at(x0, y0, c) * (1.0 - fx) + at(x0 + 1.0, y0, c) * fx;
        let bottom = at(x0, y0 + 1.0, c) * (1.0 - fx) + at(x0 + 1.0, y0 + 1.0, c) * fx;
        (top * (1.0 - fy) + bottom * fy + 0.5) as u8
    })
}

/// Steps of the brightness coefficients at quality 50 (ITU-T T.81, table K.1).
const STEPS: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// What JPEG loses: blocks of 8 by 8 are rounded in their cosine coefficients, as the common encoder
/// scales the steps. (All channels alike; the entropy coding loses nothing.)
fn compressed(image: &Image, quality: u16) -> Image {
    let scale = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    let steps = STEPS.map(|s| f32::from(((s * scale + 50) / 100).clamp(1, 255)));
    let wave: [[f32; 8]; 8] = std::array::from_fn(|u| {
        std::array::from_fn(|x| {
            let norm = if u == 0 { 0.125_f32.sqrt() } else { 0.5 };
            norm * ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / 16.0).cos()
        })
    });
    let (width, height) = (image.width(), image.height());
    let mut data = image.data().to_vec();
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            for c in 0..3 {
                let at = |x: usize, y: usize| {
                    ((top + y).min(height - 1) * width + (left + x).min(width - 1)) * 3 + c
                };
                let mut block = [0.0_f32; 64];
                (0..64).for_each(|i| block[i] = f32::from(image.data()[at(i % 8, i / 8)]) - 128.0);
                let turn = |block: &[f32; 64], forth: bool| -> [f32; 64] {
                    // Rows, then columns: each pass transforms the rows and turns the block over.
                    let mut now = *block;
                    for _ in 0..2 {
                        now = std::array::from_fn(|i| {
                            let (u, row) = (i / 8, i % 8);
                            (0..8)
                                .map(|x| {
                                    now[row * 8 + x] * if forth { wave[u][x] } else { wave[x][u] }
                                })
                                .sum()
                        });
                    }
                    now
                };
                let mut coefficients = turn(&block, true);
                for (value, step) in coefficients.iter_mut().zip(steps) {
                    *value = (*value / step).round() * step;
                }
                let block = turn(&coefficients, false);
                for i in (0..64).filter(|i| left + i % 8 < width && top + i / 8 < height) {
                    data[at(i % 8, i / 8)] = (block[i] + 128.0).round().clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
    Image::new(width, height, data).unwrap()
}

/// Numbers that look random and are the same each time.
pub(super) struct Dice(pub u64);

impl Dice {
    /// From 0 to 1.
    pub(super) fn roll(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// Roughly normal noise: the sum of four rolls.
pub(super) fn noisy(image: &Image, deviation: f32) -> Image {
    let mut dice = Dice(7);
    let data = image
        .data()
        .iter()
        .map(|v| {
            let sum: f32 = (0..4).map(|_| dice.roll()).sum::<f32>() - 2.0;
            (f32::from(*v) + sum * 1.732 * deviation).clamp(0.0, 255.0) as u8
        })
        .collect();
    Image::new(image.width(), image.height(), data).unwrap()
}

fn scaled(s: Similarity, by: f32) -> Similarity {
    Similarity {
        a: s.a * by,
        b: s.b * by,
        tx: s.tx * by,
        ty: s.ty * by,
    }
}

fn inverse(s: Similarity) -> Similarity {
    let square = s.a * s.a + s.b * s.b;
    let (a, b) = (s.a / square, -s.b / square);
    Similarity {
        a,
        b,
        tx: -(a * s.tx - b * s.ty),
        ty: -(b * s.tx + a * s.ty),
    }
}

/// The transform that does `first` and then `second`.
fn after(second: Similarity, first: Similarity) -> Similarity {
    let t = second.apply(Point::new(first.tx, first.ty));
    Similarity {
        a: second.a * first.a - second.b * first.b,
        b: second.b * first.a + second.a * first.b,
        tx: t.x,
        ty: t.y,
    }
}

/// Pictures without a face: name and picture.
pub(super) fn faceless() -> Vec<(String, Image)> {
    let mut pictures = Vec::new();
    let mut add = |name: &str,
                   width: usize,
                   height: usize,
                   value: &mut dyn FnMut(usize, usize) -> [u8; 3]| {
        let data = (0..width * height)
            .flat_map(|i| value(i % width, i / width))
            .collect();
        pictures.push((name.to_owned(), Image::new(width, height, data).unwrap()));
    };
    let mut dice = Dice(11);
    add("noise", 640, 480, &mut |_, _| {
        std::array::from_fn(|_| (dice.roll() * 255.0) as u8)
    });
    add("dark noise", 640, 480, &mut |_, _| {
        [(dice.roll() * 24.0) as u8; 3]
    });
    add("stripes", 640, 480, &mut |x, _| {
        [if x / 20 % 2 == 0 { 220 } else { 60 }, 120, 90]
    });
    add("checks", 800, 800, &mut |x, y| {
        [if (x / 40 + y / 40) % 2 == 0 { 240 } else { 20 }; 3]
    });
    add("gradient", 500, 900, &mut |x, y| {
        [(x / 2) as u8, (y / 4) as u8, 128]
    });
    add("rings", 600, 600, &mut |x, y| {
        let d = (x as f32 - 300.0).hypot(y as f32 - 300.0);
        [((d / 9.0).sin() * 100.0 + 128.0) as u8; 3]
    });
    add("skin-coloured oval", 600, 800, &mut |x, y| {
        let d = ((x as f32 - 300.0) / 180.0).hypot((y as f32 - 400.0) / 240.0);
        if d < 1.0 {
            [224, 172, 140]
        } else {
            [60, 90, 130]
        }
    });
    for (i, cells) in [4_usize, 9, 20, 48].into_iter().enumerate() {
        let mut dice = Dice(100 + i as u64);
        let grid: Vec<[f32; 3]> = (0..(cells + 1) * (cells + 1))
            .map(|_| std::array::from_fn(|_| dice.roll() * 255.0))
            .collect();
        add(&format!("clouds of {cells}"), 1200, 900, &mut |x, y| {
            let (u, v) = (
                x as f32 / 1200.0 * cells as f32,
                y as f32 / 900.0 * cells as f32,
            );
            let (i, j, fu, fv) = (u as usize, v as usize, u.fract(), v.fract());
            let at = |i: usize, j: usize, c: usize| grid[j * (cells + 1) + i][c];
            std::array::from_fn(|c| {
                let top = at(i, j, c) * (1.0 - fu) + at(i + 1, j, c) * fu;
                let bottom = at(i, j + 1, c) * (1.0 - fu) + at(i + 1, j + 1, c) * fu;
                (top * (1.0 - fv) + bottom * fv) as u8
            })
        });
    }
    pictures
}

/// A square full of rings and noise, bright and dark, where detectors suspect much.
pub(super) fn tiled(side: usize) -> Image {
    let mut dice = Dice(5);
    let data = (0..side * side)
        .flat_map(|i| {
            let (x, y) = (i % side, i / side);
            let reach = 24.0 + (x / 128 + y / 128) as f32;
            let d = ((x % 128) as f32 - 64.0).hypot((y % 128) as f32 - 64.0);
            let light = if d < reach { 190.0 } else { 240.0 };
            let rings = (d / 5.0).sin() * 40.0;
            [(light + rings + dice.roll() * 30.0).clamp(0.0, 255.0) as u8; 3]
        })
        .collect();
    Image::new(side, side, data).unwrap()
}

/// Reads a photo as the engine does.
pub(super) fn read(path: &std::path::Path) -> Image {
    let bytes = std::fs::read(path).expect("run `make models`");
    image::decode(&bytes, &Limits::default()).unwrap()
}

/// The photos in a folder of folders, one a person, by folder and file name in their order.
pub(super) fn photos(dir: &std::path::Path) -> Vec<String> {
    let entries = |dir: &std::path::Path| {
        let entries = std::fs::read_dir(dir).expect("run `make models`");
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let folders = entries(dir).into_iter().filter(|path| path.is_dir());
    folders
        .flat_map(|folder| entries(&folder))
        .map(|photo| {
            photo
                .strip_prefix(dir)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
