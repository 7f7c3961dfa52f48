//! Putting a picture, or a part of it, into a network's square.

use super::Image;
use crate::PhotoError;
use crate::geometry::{Point, Rect, Similarity};

/// A square part of a picture, possibly turned; it may reach beyond the edges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    /// Its middle, in the picture's pixels.
    pub center: Point,
    /// In the picture's pixels.
    pub side: f32,
    /// By how much it is turned clockwise, in radians: a face turned so stands upright in it.
    pub turn: f32,
}

impl View {
    /// All of the picture, with `margin` times its longer side around it.
    pub(crate) fn whole(picture: &Image, margin: f32, turn: f32) -> Self {
        let longer = picture.width().max(picture.height()) as f32;
        Self {
            center: picture.frame().center(),
            side: longer * (1.0 + 2.0 * margin),
            turn,
        }
    }

    /// From a square of `side` pixels to the picture.
    pub(crate) fn to_source(self, side: usize) -> Similarity {
        let step = self.side / side as f32;
        let (sin, cos) = self.turn.sin_cos();
        let half = self.side / 2.0;
        Similarity {
            a: cos * step,
            b: sin * step,
            tx: self.center.x - (cos - sin) * half,
            ty: self.center.y - (sin + cos) * half,
        }
    }
}

/// A network's square, with the way back to the picture's own pixels.
pub(crate) struct Framed {
    pub image: Image,
    /// From the square's pixels to the picture's.
    to_source: Similarity,
}

impl Framed {
    /// Draws all of `source` into a square of `side` pixels with at least `margin` times the
    /// picture's longer side around it on each side, black.
    pub(crate) fn new(source: &Image, side: usize, margin: f32) -> Result<Self, PhotoError> {
        let longer = source.width().max(source.height()) as f32;
        let step = longer * (1.0 + 2.0 * margin) / side as f32;
        let fit = |length: usize| ((length as f32 / step).round() as usize).clamp(1, side);
        let (width, height) = (fit(source.width()), fit(source.height()));
        let small = source.resized(source.frame(), width, height)?;
        let (left, top) = ((side - width) / 2, (side - height) / 2);
        let mut data = vec![0; side * side * 3];
        let rows = data.chunks_exact_mut(side * 3).skip(top);
        for (target, row) in rows.zip(small.data().chunks_exact(width * 3)) {
            target[left * 3..(left + width) * 3].copy_from_slice(row);
        }
        let to_source = Similarity {
            a: step,
            b: 0.0,
            tx: -(left as f32) * step,
            ty: -(top as f32) * step,
        };
        Self::from_parts(side, data, to_source)
    }

    /// Draws what `view` shows of `source` into a square of `side` pixels; beyond the edges it is black.
    pub(crate) fn view(source: &Image, side: usize, view: View) -> Result<Self, PhotoError> {
        if view.turn == 0.0 {
            return Self::upright(source, side, view);
        }
        let to_source = view.to_source(side);
        let mut data = vec![0; side * side * 3];
        if let Some(area) = covered(source, to_source, side) {
            // Shrunk first, as far as the view shrinks: sampling alone would alias.
            let step = to_source.scale().max(1.0);
            let shrink = |length: f32| ((length / step).round() as usize).max(1);
            let (width, height) = (shrink(area.width), shrink(area.height));
            let small = source.resized(area, width, height)?;
            let (across, down) = (width as f32 / area.width, height as f32 / area.height);
            for (i, pixel) in data.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let at = Point::new((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
                let p = to_source.apply(at);
                *pixel = sample(&small, (p.x - area.x) * across, (p.y - area.y) * down);
            }
        }
        Self::from_parts(side, data, to_source)
    }

    /// The same for a view that is not turned: what it shows is resized at once.
    fn upright(source: &Image, side: usize, view: View) -> Result<Self, PhotoError> {
        let mut data = vec![0; side * side * 3];
        let to_source = view.to_source(side);
        let step = to_source.a;
        let span = |corner: f32, length: usize| {
            let (from, to) = (corner.max(0.0), (corner + view.side).min(length as f32));
            let first = ((from - corner) / step).round() as usize;
            let last = ((to - corner) / step).round() as usize;
            (to - from >= 1.0 && last > first && last <= side).then_some((
                from,
                to - from,
                first,
                last - first,
            ))
        };
        if let Some((x, width, left, columns)) = span(to_source.tx, source.width())
            && let Some((y, height, top, rows)) = span(to_source.ty, source.height())
        {
            let area = Rect {
                x,
                y,
                width,
                height,
            };
            let shown = source.resized(area, columns, rows)?;
            let lines = data.chunks_exact_mut(side * 3).skip(top);
            for (line, row) in lines.zip(shown.data().chunks_exact(columns * 3)) {
                line[left * 3..(left + columns) * 3].copy_from_slice(row);
            }
        }
        Self::from_parts(side, data, to_source)
    }

    fn from_parts(side: usize, data: Vec<u8>, to_source: Similarity) -> Result<Self, PhotoError> {
        let image = Image::new(side, side, data);
        Ok(Self {
            image: image.ok_or_else(|| PhotoError::Internal("framing".into()))?,
            to_source,
        })
    }

    /// A point in the square, in units of its side, as one in the picture's pixels.
    pub(crate) fn point_to_source(&self, point: Point) -> Point {
        let side = self.image.width() as f32;
        self.to_source
            .apply(Point::new(point.x * side, point.y * side))
    }

    /// A box in the square, in units of its side, as a box in the picture's pixels. In a turned view
    /// the box is turned about its middle until it is upright in the picture.
    pub(crate) fn to_source(&self, area: Rect) -> Rect {
        let scale = self.image.width() as f32 * self.to_source.scale();
        let center = self.point_to_source(area.center());
        let (width, height) = (area.width * scale, area.height * scale);
        Rect {
            x: center.x - width / 2.0,
            y: center.y - height / 2.0,
            width,
            height,
        }
    }
}

/// The part of a picture that a square shows, widened to whole pixels; `None` if it shows nothing.
fn covered(source: &Image, to_source: Similarity, side: usize) -> Option<Rect> {
    let s = side as f32;
    let corners =
        [(0.0, 0.0), (s, 0.0), (0.0, s), (s, s)].map(|(x, y)| to_source.apply(Point::new(x, y)));
    let low = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::MAX, f32::min);
    let high = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::MIN, f32::max);
    let x = low(|p| p.x).floor().max(0.0);
    let y = low(|p| p.y).floor().max(0.0);
    let width = high(|p| p.x).ceil().min(source.width() as f32) - x;
    let height = high(|p| p.y).ceil().min(source.height() as f32) - y;
    (width >= 1.0 && height >= 1.0).then_some(Rect {
        x,
        y,
        width,
        height,
    })
}

/// The colour at a point, between pixel centres by bilinear interpolation, black beyond the edges.
fn sample(image: &Image, x: f32, y: f32) -> [u8; 3] {
    let (width, height) = (image.width(), image.height());
    if !(x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32) {
        return [0; 3];
    }
    let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize, c: usize| {
        let value = image.data().get((y * width + x) * 3 + c);
        value.map_or(0.0, |v| f32::from(*v))
    };
    std::array::from_fn(|c| {
        let top = at(x0, y0, c) * (1.0 - fx) + at(x1, y0, c) * fx;
        let bottom = at(x0, y1, c) * (1.0 - fx) + at(x1, y1, c) * fx;
        (top * (1.0 - fy) + bottom * fy + 0.5) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_find_their_way_back() {
        let source = Image::new(300, 200, vec![255; 300 * 200 * 3]).unwrap();
        let framed = Framed::new(&source, 102, 0.35).unwrap();
        // 300 pixels become 60, so the corner lies at 21, 31.
        let square = Rect {
            x: 21.0 / 102.0,
            y: 31.0 / 102.0,
            width: 60.0 / 102.0,
            height: 40.0 / 102.0,
        };
        let back = framed.to_source(square);
        for (got, wanted) in [
            (back.x, 0.0),
            (back.y, 0.0),
            (back.width, 300.0),
            (back.height, 200.0),
        ] {
            assert!((got - wanted).abs() < 0.01, "{back:?}");
        }
        let bright = framed.image.data().iter().filter(|v| **v > 0).count();
        assert_eq!(bright, 60 * 40 * 3);
    }

    #[test]
    fn a_turned_view_shows_the_picture_turned_and_finds_back() {
        // White where x > 200 and y < 100: the upper right corner.
        let data = (0..300 * 300)
            .flat_map(|i| {
                [if i % 300 > 200 && i / 300 < 100 {
                    255
                } else {
                    40
                }; 3]
            })
            .collect();
        let source = Image::new(300, 300, data).unwrap();
        let quarter = std::f32::consts::FRAC_PI_2;
        let framed = Framed::view(&source, 100, View::whole(&source, 0.0, quarter)).unwrap();
        // Turned clockwise by a quarter, the view has that corner at its upper left.
        let pixel = |x: usize, y: usize| framed.image.data()[(y * 100 + x) * 3];
        assert_eq!((pixel(15, 15), pixel(85, 15), pixel(85, 85)), (255, 40, 40));
        let back = framed.point_to_source(Point::new(0.15, 0.15));
        assert!(
            (back.x - 255.0).abs() < 0.01 && (back.y - 45.0).abs() < 0.01,
            "{back:?}"
        );
        let area = framed.to_source(Rect {
            x: 0.1,
            y: 0.1,
            width: 0.1,
            height: 0.2,
        });
        assert!((area.width - 30.0).abs() < 0.01 && (area.height - 60.0).abs() < 0.01);
    }

    #[test]
    fn beyond_the_picture_a_view_is_black() {
        let source = Image::new(50, 50, vec![200; 50 * 50 * 3]).unwrap();
        let at = |x: f32| View {
            center: Point::new(x, 25.0),
            side: 50.0,
            turn: 0.0,
        };
        let half = Framed::view(&source, 32, at(50.0)).unwrap();
        let bright = half.image.data().iter().filter(|v| **v > 0).count();
        assert_eq!(bright, 16 * 32 * 3);
        let none = Framed::view(&source, 32, at(500.0)).unwrap();
        assert!(none.image.data().iter().all(|v| *v == 0));
    }
}
