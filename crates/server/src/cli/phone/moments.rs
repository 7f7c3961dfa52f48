//! Which frames of a recording stand for what is asked.

use std::collections::{BTreeMap, BTreeSet};

use face::liveness::{Action, Pose, Usual, progress};
use rand::{
    Rng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use recording::{heights, straightest};

/// One frame in which a face is seen.
pub(super) struct Look {
    /// Its number in the recording.
    pub(super) frame: usize,
    pub(super) pose: Pose,
    /// Whether the face can be compared as it is seen there.
    pub(super) is_clear: bool,
    /// Whether it, or a frame that it could be a copy of, was sent before.
    pub(super) was_sent: bool,
}

/// How far of an action's way a person went who did it: the server counts less only where the rest is done well.
const DONE: f32 = 0.75;
/// The whole way, which is chosen before less.
const WHOLE: f32 = 1.0;
/// How far of any action's way a person may be who looks straight ahead: better little, and more where all of that was sent.
const STILL: [f32; 2] = [0.35, 0.7];
/// Of so many frames that look straight ahead, that is taken against which the most is done.
const TRIED: usize = 16;

/// The numbers of frames by what they show, one moment for each, any of those that were not sent before. `None` where the
/// person never looks straight ahead.
pub(super) fn choose(
    looks: &[Look],
    random: &mut impl Rng,
) -> Option<BTreeMap<&'static str, Vec<usize>>> {
    let mut straight = straight(looks)?;
    straight.shuffle(random);
    straight.truncate(TRIED);
    let plans = straight.into_iter().map(|at| plan(looks, at, random));
    let mut best: Option<BTreeMap<&'static str, Vec<usize>>> = None;
    for plan in plans {
        if best.as_ref().is_none_or(|best| plan.len() > best.len()) {
            best = Some(plan);
        }
    }
    best
}

/// The looks that are straight ahead; `None` where none is.
fn straight(looks: &[Look]) -> Option<Vec<usize>> {
    let poses: Vec<Pose> = looks.iter().map(|look| look.pose).collect();
    let rest = poses[straightest(&poses)?];
    let found = STILL.map(|still| {
        let is_still = |pose: &Pose| {
            let far = |action| progress(action, &rest, pose);
            progress(Action::LookStraight, pose, pose) >= WHOLE
                && Action::ASKED.into_iter().all(|action| far(action) <= still)
        };
        let may = |at: &usize| {
            let look = &looks[*at];
            look.is_clear && !look.was_sent && is_still(&look.pose)
        };
        (0..looks.len()).filter(may).collect::<Vec<_>>()
    });
    found.into_iter().find(|found| !found.is_empty())
}

/// A moment for every action that is done, measured against the look at `straight`.
fn plan(
    looks: &[Look],
    straight: usize,
    random: &mut impl Rng,
) -> BTreeMap<&'static str, Vec<usize>> {
    let mut usual = Usual::default();
    usual.see(&looks[straight].pose);
    let usual = usual.of(looks[straight].pose);
    let sent = (0..looks.len()).filter(|at| looks[*at].was_sent);
    let mut taken: BTreeSet<usize> = sent.chain([straight]).collect();
    let mut plan = BTreeMap::from([(Action::LookStraight.as_str(), vec![looks[straight].frame])]);
    let far = |action, taken: &BTreeSet<usize>| -> Vec<f32> {
        let far = looks.iter().enumerate().map(|(at, look)| {
            if taken.contains(&at) {
                f32::NEG_INFINITY
            } else {
                progress(action, &usual, &look.pose)
            }
        });
        far.collect()
    };
    // What is done least often has the first choice among moments in which several things are done.
    let mut actions = Action::ASKED;
    actions.sort_by_key(|action| heights(&far(*action, &taken), DONE).len());
    for action in actions {
        let far = far(action, &taken);
        let mut at_height = heights(&far, WHOLE);
        if at_height.is_empty() {
            at_height = heights(&far, DONE);
        }
        let Some(at) = at_height.choose(random).copied() else {
            continue;
        };
        // As it begins, and at its height.
        let before = at.checked_sub(1).filter(|before| !taken.contains(before));
        let shown = before.into_iter().chain([at]);
        plan.insert(
            action.as_str(),
            shown.clone().map(|at| looks[at].frame).collect(),
        );
        taken.extend(shown);
    }
    plan
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    const REST: Pose = Pose {
        yaw: 1.0,
        pitch: -8.0,
        eyes: 0.3,
        lids: 0.1,
        mouth: 0.02,
        size: 100.0,
        breadth: 0.9,
    };

    /// A person who turns left twice, blinks once as they turn, and speaks once; at rest in between.
    fn looks() -> Vec<Look> {
        let turned = |yaw| Pose { yaw, ..REST };
        let asleep = |pose: Pose| Pose {
            eyes: 0.1,
            lids: 0.03,
            ..pose
        };
        let speaking = Pose { mouth: 0.2, ..REST };
        let poses = [
            REST,
            REST,
            turned(9.0),
            turned(19.0),
            turned(8.0),
            REST,
            REST,
            turned(10.0),
            asleep(turned(20.0)),
            turned(9.0),
            REST,
            REST,
            speaking,
            REST,
            REST,
        ];
        let looks = poses.into_iter().enumerate().map(|(at, pose)| Look {
            // Others show no face.
            frame: at * 2,
            pose,
            is_clear: at != 5,
            was_sent: false,
        });
        looks.collect()
    }

    fn chosen(looks: &[Look], seed: u64) -> Option<BTreeMap<&'static str, Vec<usize>>> {
        choose(looks, &mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn each_action_has_its_moment_and_no_frame_stands_for_two() {
        let looks = looks();
        let mut straight = BTreeSet::new();
        for seed in 0..50 {
            let chosen = chosen(&looks, seed).unwrap();
            let shown: Vec<_> = chosen.keys().copied().collect();
            assert_eq!(shown, ["blink", "look_straight", "open_mouth", "turn_left"]);
            // The blink's only moment is its own, though the head is turned as well.
            assert_eq!(chosen["blink"], [14, 16]);
            assert_eq!(chosen["turn_left"], [4, 6]);
            assert_eq!(chosen["open_mouth"].last(), Some(&24));
            straight.insert(chosen["look_straight"][0]);
            let all: Vec<_> = chosen.values().flatten().collect();
            assert_eq!(
                all.iter().collect::<BTreeSet<_>>().len(),
                all.len(),
                "{chosen:?}"
            );
        }
        assert!(
            straight.len() > 3 && !straight.contains(&10),
            "{straight:?}"
        );
    }

    #[test]
    fn what_was_sent_is_chosen_no_more() {
        let mut looks = looks();
        looks[3].was_sent = true;
        looks[12].was_sent = true;
        let chosen = chosen(&looks, 1).unwrap();
        assert!(!chosen.contains_key("open_mouth"), "{chosen:?}");
        // One moment is left for a turn and a blink, and stands for one of them.
        assert!(
            !chosen.contains_key("turn_left") || !chosen.contains_key("blink"),
            "{chosen:?}"
        );
        looks.iter_mut().for_each(|look| look.was_sent = true);
        assert!(self::chosen(&looks, 1).is_none());
        assert!(self::chosen(&[], 1).is_none());
    }
}
