//! Brings a small place of one picture to where it fits best in another: shifted, turned and stretched a little, as
//! far as its own slopes tell (inverse compositional; Baker and Matthews, "Lucas-Kanade 20 years on", 2004).
//!
//! What is left after that is no movement: other skin, other light, a lid where an eye was.

/// Fields a side of a place: so few that what a camera or a forger adds of noise is averaged away.
pub(super) const FIELDS: usize = 8;
/// Ways to be moved: along, down, and the four of a stretch or turn.
const WAYS: usize = 6;
/// How strongly shifts and stretches are held back where slopes hardly tell them, as a part of what slopes tell.
const HELD: [f32; WAYS] = [1e-4, 1e-4, 1e-3, 1e-3, 1e-3, 1e-3];

/// Brightness of a place's fields, row by row.
pub(super) type Fields = [f32; FIELDS * FIELDS];

/// `(x, y)` goes to `(a x + b y + c, d x + e y + f)`.
pub(super) type Affine = [[f32; 3]; 2];

/// First the one, then the other.
pub(super) fn joined(first: &Affine, then: &Affine) -> Affine {
    then.map(|[a, b, c]| {
        let [x, y] = first;
        let by = |i: usize| a * x[i] + b * y[i];
        [by(0), by(1), by(2) + c]
    })
}

/// What undoes it; `None` for what falls together.
fn undone(&[[a, b, c], [d, e, f]]: &Affine) -> Option<Affine> {
    let det = a * e - b * d;
    (det.abs() > 1e-6).then(|| {
        [
            [e / det, -b / det, (b * f - e * c) / det],
            [-d / det, a / det, (d * c - a * f) / det],
        ]
    })
}

/// A place of a picture, to find again in others.
pub(super) struct Landmark {
    fields: Fields,
    /// What each way of being moved changes.
    slopes: [Fields; WAYS],
}

impl Landmark {
    /// The place with these fields, which are `side` wide altogether.
    pub(super) fn new(fields: &Fields, side: f32) -> Self {
        let slopes = slopes(fields, side / FIELDS as f32);
        Self {
            fields: levelled(fields),
            slopes: slopes.map(|way| levelled(&way)),
        }
    }

    /// How like other fields are, light apart: their correlation, 1 if they are the same.
    pub(super) fn likeness(&self, fields: &Fields) -> f32 {
        let there = levelled(fields);
        let power = (dot(&self.fields, &self.fields) * dot(&there, &there)).sqrt();
        dot(&self.fields, &there) / power.max(f32::MIN_POSITIVE)
    }

    /// How to look elsewhere for a better fit than these fields are; to be done before what was done to see them.
    pub(super) fn correction(&self, fields: &Fields) -> Option<Affine> {
        let there = levelled(fields);
        let gain = dot(&there, &self.fields) / dot(&there, &there).max(f32::MIN_POSITIVE);
        let missed: Fields = std::array::from_fn(|i| gain * there[i] - self.fields[i]);
        let mut normal: [[f32; WAYS + 1]; WAYS] = std::array::from_fn(|i| {
            std::array::from_fn(|j| match self.slopes.get(j) {
                Some(other) => dot(&self.slopes[i], other),
                None => dot(&self.slopes[i], &missed),
            })
        });
        let told = (0..WAYS).map(|i| normal[i][i]).sum::<f32>() / WAYS as f32;
        for (i, held) in HELD.into_iter().enumerate() {
            normal[i][i] += held * told + f32::MIN_POSITIVE;
        }
        let [x, y, xx, xy, yx, yy] = solved(normal);
        undone(&[[1.0 + xx, xy, x], [yx, 1.0 + yy, y]])
    }
}

/// How fields of this width change when they are moved: along, down, and in proportion to the distance from the middle.
fn slopes(fields: &Fields, width: f32) -> [Fields; WAYS] {
    let last = FIELDS - 1;
    let away = |at: usize| (at as f32 - last as f32 / 2.0) * width;
    let slope = |at: usize, i: usize, stride: usize| {
        let (low, high) = (at.saturating_sub(1), (at + 1).min(last));
        let start = i - at * stride;
        (fields[start + high * stride] - fields[start + low * stride])
            / ((high - low) as f32 * width)
    };
    let mut ways = [[0.0; FIELDS * FIELDS]; WAYS];
    for i in 0..fields.len() {
        let (column, row) = (i % FIELDS, i / FIELDS);
        let (x, y) = (away(column), away(row));
        let (along, down) = (slope(column, i, 1), slope(row, i, FIELDS));
        let by = [along, down, along * x, along * y, down * x, down * y];
        for (way, by) in ways.iter_mut().zip(by) {
            way[i] = by;
        }
    }
    ways
}

/// What is left of fields without their mean and slope, which light alone changes.
fn levelled(fields: &Fields) -> Fields {
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
    std::array::from_fn(|i| {
        let (x, y) = place(i);
        fields[i] - mean - (across * x + down * y) / spread
    })
}

fn dot(one: &Fields, two: &Fields) -> f32 {
    one.iter().zip(two).map(|(a, b)| a * b).sum()
}

/// Solves equations whose last column is what they come to. They are symmetric and positive, so no row is in a bad place.
fn solved(mut rows: [[f32; WAYS + 1]; WAYS]) -> [f32; WAYS] {
    for i in 0..WAYS {
        let pivot = rows[i].map(|v| v / rows[i][i]);
        for (j, row) in rows.iter_mut().enumerate() {
            let factor = row[i];
            *row = if j == i {
                pivot
            } else {
                std::array::from_fn(|k| row[k] - factor * pivot[k])
            };
        }
    }
    rows.map(|row| row[WAYS])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wavy surface, seen where a map brings a place of side 1 in its middle.
    fn seen(map: &Affine) -> Fields {
        std::array::from_fn(|i| {
            let away = |at: usize| (at as f32 + 0.5) / FIELDS as f32 - 0.5;
            let (x, y) = (away(i % FIELDS), away(i / FIELDS));
            let [u, v] = map.map(|[a, b, c]| a * x + b * y + c);
            40.0 * (5.0 * u + 1.0).sin() * (4.0 * v).cos() + 15.0 * (6.0 * u * v).sin()
        })
    }

    const STAYS: Affine = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

    #[test]
    fn what_was_moved_and_stretched_is_found_again() {
        let place = Landmark::new(&seen(&STAYS), 1.0);
        let moved = [[1.08, 0.05, 0.06], [-0.04, 0.95, -0.05]];
        let mut map = moved;
        assert!(place.likeness(&seen(&map)) < 0.97);
        for _ in 0..3 {
            let better = place.correction(&seen(&map)).unwrap();
            map = joined(&better, &map);
        }
        assert!(place.likeness(&seen(&map)) > 0.999, "{map:?}");
    }

    #[test]
    fn other_light_changes_nothing_and_another_surface_does_not_fit() {
        let fields = seen(&STAYS);
        let place = Landmark::new(&fields, 1.0);
        let lit: Fields = std::array::from_fn(|i| 30.0 + 0.7 * fields[i] + 2.0 * (i % 8) as f32);
        assert!(place.likeness(&lit) > 0.9999);
        let mut map: Affine = [[1.0, 0.0, 1.5], [0.0, 1.0, 2.0]];
        for _ in 0..3 {
            map = joined(&place.correction(&seen(&map)).unwrap(), &map);
        }
        assert!(place.likeness(&seen(&map)) < 0.9);
    }

    #[test]
    fn a_place_without_any_mark_is_nowhere_better() {
        let flat = Landmark::new(&[7.0; FIELDS * FIELDS], 1.0);
        let better = flat.correction(&seen(&STAYS)).unwrap();
        for (row, stays) in better.iter().zip(STAYS) {
            for (a, b) in row.iter().zip(stays) {
                assert!((a - b).abs() < 1e-3, "{better:?}");
            }
        }
    }
}
