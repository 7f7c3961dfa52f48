//! When a person in a recording does something, frame by frame.

use face::liveness::Pose;

/// Frames before and after one that is at its height.
const AROUND: usize = 2;

/// The frame that looks into the camera: hardly turned or raised, the eyes as open as in the most open quarter, the mouth
/// shut.
#[must_use]
pub fn straightest(poses: &[Pose]) -> Option<usize> {
    let quantile = |part: f32, value: fn(&Pose) -> f32| {
        let mut values: Vec<f32> = poses.iter().map(value).collect();
        values.sort_by(f32::total_cmp);
        let at = (values.len() as f32 * part) as usize;
        values.get(at).copied().unwrap_or(0.0)
    };
    let pitch = quantile(0.5, |p| p.pitch);
    let eyes = quantile(0.75, |p| p.eyes);
    let oddness = |p: &Pose| {
        p.yaw.abs() + (p.pitch - pitch).abs() + 60.0 * (eyes - p.eyes).max(0.0) + 60.0 * p.mouth
    };
    (0..poses.len()).min_by(|a, b| oddness(&poses[*a]).total_cmp(&oddness(&poses[*b])))
}

/// The frames at which something is at its height that goes as `far` in each: `least` or more, and as far as in those
/// around it.
#[must_use]
pub fn heights(far: &[f32], least: f32) -> Vec<usize> {
    let is_height = |i: &usize| {
        let around = i.saturating_sub(AROUND)..(i + AROUND + 1).min(far.len());
        far[*i] >= least && around.into_iter().all(|j| far[j] <= far[*i])
    };
    (0..far.len()).filter(is_height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_far_enough_and_no_less_than_what_is_around_them() {
        let far = [0.2, 0.9, 1.4, 1.1, 0.3, 0.2, 0.6, 0.2, 1.2];
        assert_eq!(heights(&far, 1.0), [2, 8]);
        assert_eq!(heights(&far, 0.5), [2, 8]);
        assert_eq!(heights(&far[..8], 0.5), [2, 6]);
        assert!(heights(&[], 1.0).is_empty() && heights(&[f32::NAN], 1.0).is_empty());
    }

    #[test]
    fn the_straightest_frame_neither_turns_nor_blinks_nor_speaks() {
        let rest = Pose {
            yaw: 1.0,
            pitch: -8.0,
            eyes: 0.3,
            lids: 0.1,
            mouth: 0.02,
            size: 100.0,
            breadth: 0.9,
        };
        let turned = Pose { yaw: 14.0, ..rest };
        let asleep = Pose { eyes: 0.1, ..rest };
        let speaking = Pose { mouth: 0.3, ..rest };
        assert_eq!(straightest(&[turned, asleep, rest, speaking]), Some(2));
        assert_eq!(straightest(&[]), None);
    }
}
