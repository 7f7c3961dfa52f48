//! How the weights of a liveness verdict are found: a logistic regression whose weights are never negative, so that
//! more of a good sign never makes an answer less credible.

use face::liveness::{SIGNS, Weights};

/// Steps of the descent; far more than it takes to settle.
const STEPS: i32 = 6000;
/// Length of a step (Kingma and Ba, "Adam: a method for stochastic optimization", 2015).
const LENGTH: f64 = 0.02;
/// How strongly large weights are held back, for there are few persons.
const RIDGE: f64 = 3e-3;

/// One answer to learn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lesson {
    /// What its frames show.
    pub signs: [f32; SIGNS],
    /// Whether it is honest.
    pub honest: bool,
    /// How much it counts.
    pub weight: f64,
}

/// The weights that tell honest answers from attacks best. The same lessons give the same weights.
pub(super) fn fit(lessons: &[Lesson]) -> Weights {
    // The bias comes last.
    let mut at = [1.0_f64; SIGNS + 1];
    at[SIGNS] = 0.0;
    let (mut mean, mut square) = ([0.0; SIGNS + 1], [0.0; SIGNS + 1]);
    for step in 1..=STEPS {
        let slope = slope(lessons, &at);
        for i in 0..=SIGNS {
            mean[i] = 0.9 * mean[i] + 0.1 * slope[i];
            square[i] = 0.999 * square[i] + 0.001 * slope[i] * slope[i];
            let (mean, square): (f64, f64) = (
                mean[i] / (1.0 - 0.9_f64.powi(step)),
                square[i] / (1.0 - 0.999_f64.powi(step)),
            );
            at[i] -= LENGTH * mean / (square.sqrt() + 1e-9);
            if i < SIGNS {
                at[i] = at[i].max(0.0);
            }
        }
    }
    Weights {
        signs: std::array::from_fn(|i| at[i] as f32),
        bias: at[SIGNS] as f32,
    }
}

/// The slope of the loss at these weights.
fn slope(lessons: &[Lesson], at: &[f64; SIGNS + 1]) -> [f64; SIGNS + 1] {
    let mut slope = [0.0; SIGNS + 1];
    for lesson in lessons {
        let signs = lesson.signs.map(f64::from);
        let score: f64 = signs
            .iter()
            .zip(at)
            .map(|(sign, weight)| sign * weight)
            .sum();
        let likely = 1.0 / (1.0 + (-score - at[SIGNS]).exp());
        let error = lesson.weight * (likely - f64::from(u8::from(lesson.honest)));
        for (slope, sign) in slope.iter_mut().zip(signs.iter().chain([&1.0])) {
            *slope += error * sign;
        }
    }
    for i in 0..SIGNS {
        slope[i] += RIDGE * at[i];
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(first: f32, second: f32, honest: bool) -> Lesson {
        let mut signs = [0.0; SIGNS];
        (signs[0], signs[1]) = (first, second);
        Lesson {
            signs,
            honest,
            weight: 0.25,
        }
    }

    #[test]
    fn what_tells_them_apart_gets_weight_and_what_misleads_gets_none() {
        let lessons = [
            lesson(1.0, -1.0, true),
            lesson(0.8, -0.8, true),
            lesson(-1.0, 1.0, false),
            lesson(-0.7, 0.6, false),
        ];
        let found = fit(&lessons);
        assert!(found.signs[0] > 1.0, "{found:?}");
        assert_eq!(found.signs[1], 0.0);
        for lesson in lessons {
            assert_eq!(found.score(&lesson.signs) >= 0.0, lesson.honest);
        }
        assert_eq!(found, fit(&lessons));
    }
}
