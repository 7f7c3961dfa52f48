//! Joins what the frames of one answer show into a verdict.

use std::collections::BTreeMap;

use super::evidence::{Evidence, Moment, of_step};
use super::passive::Passive;
use super::texture::Texture;
use super::weights::Weights;
use crate::Template;
use crate::mesh::Mesh;
use sight::Action;
use sight::Pose;
use sight::progress;
use sight::progress::STRAIGHT;

/// Least time for one action, milliseconds: nobody reads, turns and is photographed faster.
const STEP_TIME: i64 = 150;
/// Least confidence of the mesh that it lies on a face.
const CONFIDENCE: f32 = 0.5;
/// A sign that pulls the score down by this much more than the way does is what the answer is refused for: so
/// an honest person who did too little is told that, and not suspected.
const SUSPECT: f32 = 1.0;

/// Why an answer may not come from a living person who did what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// An action was not done, or not far enough.
    #[error("the action {} was not seen", .0.as_str())]
    Missing(Action),
    /// The frames' times do not rise, or too fast for a person.
    #[error("the frames do not follow each other as a person would")]
    Order,
    /// Two frames are the same.
    #[error("a frame is there twice")]
    Repeated,
    /// What turned was flat.
    #[error("what turned is flat")]
    Flat,
    /// The frames show different people.
    #[error("the frames show different people")]
    OtherPerson,
    /// The face is on a screen.
    #[error("the face is on a screen")]
    Screen,
    /// A frame was sent before.
    #[error("a frame was sent before")]
    Replayed,
}

impl Doubt {
    /// What an honest person should do differently, as a word for the phone; `None` for signs of an attack.
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Missing(Action::LookStraight) => Some("look_straight"),
            Self::Missing(Action::TurnLeft | Action::TurnRight) => Some("turn_more"),
            Self::Missing(Action::LookUp) => Some("look_up_more"),
            Self::Missing(Action::Blink) => Some("blink_again"),
            Self::Missing(Action::OpenMouth) => Some("open_wider"),
            Self::Missing(Action::ComeCloser) => Some("come_closer"),
            Self::Order => Some("slower"),
            Self::Repeated => Some("hold_still"),
            Self::Flat | Self::OtherPerson | Self::Screen | Self::Replayed => None,
        }
    }
}

/// How a frame was sent.
pub(crate) struct Sent {
    /// Number of the step it belongs to.
    pub step: usize,
    /// Milliseconds since the challenge was shown.
    pub at_ms: i64,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

/// The look straight ahead, with which the other frames are compared.
pub(crate) struct Straight {
    /// How the face usually looks: with its eyes as open as in any frame of the step, for people blink unasked
    /// as well.
    pub usual: Pose,
    /// Whether it looks straight ahead at all.
    pub is_ahead: bool,
    pub texture: Texture,
    pub template: Template,
    /// The most that two frames of the step differ, over the distance of 1/1,000.
    pub apart: f32,
}

/// How well a frame shows its step; of several frames the greatest stands for it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Shown {
    on_a_face: bool,
    progress: f32,
}

impl Shown {
    /// As a look straight ahead.
    pub(crate) fn ahead(mesh: &Mesh, pose: &Pose) -> Self {
        Self {
            on_a_face: mesh.confidence >= CONFIDENCE && pose.yaw.abs() <= STRAIGHT,
            progress: -pose.yaw.abs(),
        }
    }

    /// As an action of a person who usually looks like that.
    pub(crate) fn doing(action: Action, usual: &Pose, mesh: &Mesh, pose: &Pose) -> Self {
        Self {
            on_a_face: mesh.confidence >= CONFIDENCE,
            progress: progress(action, usual, pose),
        }
    }

    /// Whether it can stand for its step.
    pub(crate) const fn counts(&self) -> bool {
        self.on_a_face
    }
}

/// An answer to a challenge, whose first step is to look straight ahead.
pub(crate) struct Answer<'a> {
    pub steps: &'a [Action],
    pub sent: &'a [Sent],
    pub straight: &'a Straight,
    /// Every frame of the other steps that lies on a face.
    pub moments: &'a [Moment],
    /// How like the straight frame's the skin is in the frames that stand for these steps.
    pub likeness: &'a BTreeMap<usize, f32>,
    /// Of the frames that stand for their steps.
    pub passive: &'a [Passive],
}

/// Judges an answer, and says on what grounds.
pub(crate) fn judge(answer: &Answer<'_>) -> (Result<(), Doubt>, Evidence) {
    let usual = &answer.straight.usual;
    let others = answer.steps.iter().enumerate().skip(1);
    let seen: Vec<_> = others
        .map(|(number, action)| {
            let likeness = answer.likeness.get(&number);
            let step = |alike: &f32| of_step(number, answer.steps, usual, answer.moments, *alike);
            (*action, likeness.and_then(step))
        })
        .collect();
    let bar = || {
        once(answer.sent)?;
        in_order(answer.sent)?;
        if !answer.straight.is_ahead {
            return Err(Doubt::Missing(Action::LookStraight));
        }
        if let Some((action, _)) = seen.iter().find(|(_, step)| step.is_none()) {
            return Err(Doubt::Missing(*action));
        }
        no_screen(answer.passive)
    };
    let bar = bar();
    let mut evidence = Evidence {
        steps: seen.into_iter().filter_map(|(_, step)| step).collect(),
        straight: answer.straight.apart,
        barred: bar.is_err(),
    };
    let bar = bar.and_then(|()| in_its_step(answer.steps, &evidence));
    evidence.barred = bar.is_err();
    let verdict = bar.and_then(|()| weigh(&Weights::SHIPPED, answer.steps, &evidence));
    (verdict, evidence)
}

/// Each thing was done when it was asked for: a recording of the right things in another order shows much of every step,
/// for people do several things at once.
fn in_its_step(steps: &[Action], evidence: &Evidence) -> Result<(), Doubt> {
    if evidence.is_of_another_order() {
        return Err(least_done(steps, evidence));
    }
    Ok(())
}

/// The doubt about the step of which least was seen.
fn least_done(steps: &[Action], evidence: &Evidence) -> Doubt {
    let way = |i: &usize| evidence.way(*i);
    let least = (0..evidence.steps.len()).min_by(|a, b| way(a).total_cmp(&way(b)));
    let action = least.and_then(|i| steps.get(i + 1));
    Doubt::Missing(*action.unwrap_or(&Action::LookStraight))
}

/// Whether the evidence is believed; if not, what speaks most against it.
fn weigh(weights: &Weights, steps: &[Action], evidence: &Evidence) -> Result<(), Doubt> {
    let signs = evidence.signs();
    if weights.score(&signs) >= 0.0 {
        return Ok(());
    }
    let [least, done, skin, form, identity] = weights.terms(&signs);
    // What an action that was not seen costs, however that is told.
    let undone = least.min(0.0) + done.min(0.0);
    let flat = skin.min(0.0) + form;
    if identity.min(flat) > undone - SUSPECT {
        return Err(least_done(steps, evidence));
    }
    Err(if identity < flat {
        Doubt::OtherPerson
    } else {
        Doubt::Flat
    })
}

/// Judges frames for which nothing was asked.
pub(crate) fn judge_alone(sent: &[Sent], passive: &[Passive]) -> Result<(), Doubt> {
    once(sent)?;
    no_screen(passive)
}

fn once(sent: &[Sent]) -> Result<(), Doubt> {
    let again = |(i, frame): (usize, &Sent)| sent[..i].iter().any(|f| f.digest == frame.digest);
    if sent.iter().enumerate().any(again) {
        return Err(Doubt::Repeated);
    }
    Ok(())
}

/// Steps come in their order, times rise, and each step takes its time.
fn in_order(sent: &[Sent]) -> Result<(), Doubt> {
    for pair in sent.windows(2) {
        let least = if pair[0].step == pair[1].step {
            1
        } else {
            STEP_TIME
        };
        if pair[1].step < pair[0].step || pair[1].at_ms.saturating_sub(pair[0].at_ms) < least {
            return Err(Doubt::Order);
        }
    }
    Ok(())
}

fn no_screen<'a>(looks: impl IntoIterator<Item = &'a Passive>) -> Result<(), Doubt> {
    if looks.into_iter().any(Passive::shows_a_screen) {
        return Err(Doubt::Screen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liveness::StepEvidence;
    use crate::mesh::COUNT;

    fn sent(frames: &[(usize, i64, u8)]) -> Vec<Sent> {
        let sent = frames.iter().map(|(step, at_ms, digest)| Sent {
            step: *step,
            at_ms: *at_ms,
            digest: [*digest; 32],
        });
        sent.collect()
    }

    #[test]
    fn frames_come_once_in_order_and_no_faster_than_people_move() {
        assert_eq!(
            in_order(&sent(&[(0, 0, 1), (0, 1, 2), (1, 151, 3)])),
            Ok(())
        );
        for odd in [
            [(0, 0, 1), (1, 149, 2)],
            [(0, 0, 1), (0, 0, 2)],
            [(1, 0, 1), (0, 900, 2)],
            [(0, i64::MAX, 1), (1, i64::MIN, 2)],
        ] {
            assert_eq!(in_order(&sent(&odd)), Err(Doubt::Order), "{odd:?}");
        }
        assert_eq!(
            in_order(&sent(&[(0, i64::MIN, 1), (1, i64::MAX, 2)])),
            Ok(())
        );
        assert_eq!(
            once(&sent(&[(0, 0, 1), (1, 200, 2), (2, 400, 1)])),
            Err(Doubt::Repeated)
        );
        assert_eq!(once(&sent(&[(0, 0, 1), (1, 200, 2)])), Ok(()));
    }

    #[test]
    fn of_two_frames_the_one_that_shows_it_best_stands_for_its_step() {
        let shown = |on_a_face, progress| Shown {
            on_a_face,
            progress,
        };
        assert!(shown(true, 1.0) > shown(false, 3.0));
        assert!(shown(true, 1.2) > shown(true, 1.1));
        let mesh = Mesh::of(vec![[0.0; 3]; COUNT]);
        let ahead = |yaw| {
            Shown::ahead(
                &mesh,
                &Pose {
                    yaw,
                    ..Pose::of(&mesh)
                },
            )
        };
        assert!(ahead(-3.0) > ahead(8.0));
        assert!(ahead(STRAIGHT).counts() && !ahead(-STRAIGHT - 0.1).counts());
    }

    /// A step in which so much was done of the first and of the second thing asked, by a face whose skin, form and identity
    /// are a living person's.
    fn step(first: f32, second: f32) -> StepEvidence {
        StepEvidence {
            ways: vec![first, second],
            form: 0.02,
            likeness: 0.85,
            distance: 0.7,
        }
    }

    fn verdict(steps: [StepEvidence; 2]) -> Result<(), Doubt> {
        let asked = [Action::LookStraight, Action::TurnLeft, Action::Blink];
        let evidence = Evidence {
            steps: steps.into(),
            straight: 0.2,
            barred: false,
        };
        in_its_step(&asked, &evidence).and_then(|()| weigh(&Weights::SHIPPED, &asked, &evidence))
    }

    #[test]
    fn a_step_done_a_little_less_is_believed_and_what_was_not_done_is_named() {
        assert_eq!(verdict([step(1.0, 0.1), step(0.0, 1.6)]), Ok(()));
        assert_eq!(verdict([step(0.75, 0.1), step(0.0, 1.0)]), Ok(()));
        let missing = |action| Err(Doubt::Missing(action));
        assert_eq!(
            verdict([step(0.1, 0.1), step(0.0, 1.6)]),
            missing(Action::TurnLeft)
        );
        assert_eq!(
            verdict([step(1.5, 0.0), step(0.0, 0.1)]),
            missing(Action::Blink)
        );
        assert_eq!(
            verdict([step(0.1, 1.0), step(1.0, 0.1)]),
            missing(Action::TurnLeft)
        );
    }

    #[test]
    fn what_was_done_in_another_order_is_not_believed_though_much_of_each_step_was_seen() {
        let both = step(0.8, 1.0);
        assert!(verdict([both.clone(), step(1.0, 0.7)]).is_err());
        // Two things at once are no other order.
        assert_eq!(verdict([both, step(0.3, 1.0)]), Ok(()));
    }

    #[test]
    fn no_movement_makes_up_for_another_face_or_for_one_skin_in_every_step() {
        let other = StepEvidence {
            distance: 1.3,
            ..step(0.0, 3.0)
        };
        assert_eq!(verdict([step(3.0, 0.0), other]), Err(Doubt::OtherPerson));
        let flat = |step| StepEvidence {
            likeness: 0.997,
            form: -0.3,
            ..step
        };
        assert_eq!(
            verdict([flat(step(3.0, 0.0)), flat(step(0.0, 3.0))]),
            Err(Doubt::Flat)
        );
    }
}
