//! Joins what the frames of one answer show into a verdict.

use super::passive::Passive;
use super::pose::Pose;
use super::{Action, depth};
use crate::Template;
use crate::mesh::Mesh;

/// Least turn to the side against the straight frame, degrees of the mesh. Photos rotated by 45° seem to
/// turn by up to 13.5.
const TURN: f32 = 14.0;
/// Least raising of the chin, degrees of the mesh. Photos tilted by 40° seem to rise by up to 6.
const RISE: f32 = 7.5;
/// Least depth of a turn to the side, in units of the eyes' distance. See [`depth`].
const DEPTH: f32 = 0.040;
/// The same of a raised chin, which shows less of the face's relief.
const RISE_DEPTH: f32 = 0.030;
/// Least part of its breadth that a face keeps when turned to the side by [`TURN`] to 35 degrees; a
/// photo that is to seem turned as far must be rotated so that it keeps less.
const BREADTH: f32 = 0.80;
/// Largest distance between the straight frame and another one, over the distance at which two photos are
/// one person in 999 of 1,000 cases: a turned head looks less like itself. An impostor for a single step
/// gets through in about one case of 200, and still has to do the rest.
const SAME_PERSON: f32 = 1.17;
/// Opening of the eyes in a blink, as a part of their usual opening.
const BLINK: f32 = 0.80;
/// Least widening of the mouth, in units of the eyes' distance.
const MOUTH: f32 = 0.12;
/// Least growth of the face when it comes closer.
const CLOSER: f32 = 1.25;
/// Largest turn that still counts as straight, degrees.
const STRAIGHT: f32 = 25.0;
/// Least time for one action, milliseconds: nobody reads, turns and is photographed faster.
const STEP_TIME: i64 = 150;
/// Least confidence of the mesh that it lies on a face.
const CONFIDENCE: f32 = 0.5;

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

/// What the frame that stands for a step shows.
pub(crate) struct Seen {
    pub mesh: Mesh,
    pub pose: Pose,
    pub passive: Passive,
    pub template: Template,
}

/// The look straight ahead, with which the other frames are compared.
pub(crate) struct Straight {
    pub seen: Seen,
    /// How the face usually looks: with its eyes as open as in any frame of the step, for people blink unasked
    /// as well.
    pub usual: Pose,
}

/// How well a frame shows its step; of several frames the greatest stands for it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Shown {
    done: bool,
    progress: f32,
}

impl Shown {
    /// As a look straight ahead.
    pub(crate) fn ahead(mesh: &Mesh, pose: &Pose) -> Self {
        Self {
            done: mesh.confidence >= CONFIDENCE && pose.yaw.abs() <= STRAIGHT,
            progress: -pose.yaw.abs(),
        }
    }
}

impl Straight {
    /// How well a frame shows an action.
    pub(crate) fn shown(&self, action: Action, mesh: &Mesh, pose: &Pose) -> Shown {
        Shown {
            done: self.check(action, mesh, pose).is_ok(),
            progress: progress(action, &self.usual, pose),
        }
    }

    /// Whether a frame shows an action, and shows it in the round.
    fn check(&self, action: Action, mesh: &Mesh, pose: &Pose) -> Result<(), Doubt> {
        if mesh.confidence < CONFIDENCE || progress(action, &self.usual, pose) < 1.0 {
            return Err(Doubt::Missing(action));
        }
        let depth = || depth(&self.seen.mesh, mesh);
        let round = match action {
            Action::TurnLeft | Action::TurnRight => {
                depth() >= DEPTH && pose.breadth >= BREADTH * self.usual.breadth
            }
            Action::LookUp => depth() >= RISE_DEPTH,
            _ => true,
        };
        if round { Ok(()) } else { Err(Doubt::Flat) }
    }
}

/// Judges the answer to a challenge, whose first step is to look straight ahead. `others` are the frames that
/// stand for the other steps, in their order, `None` where there is none; `same` is the largest distance at
/// which two frames show one person.
pub(crate) fn judge(
    steps: &[Action],
    sent: &[Sent],
    straight: &Straight,
    others: &[Option<Seen>],
    same: f32,
) -> Result<(), Doubt> {
    once(sent)?;
    in_order(sent)?;
    let Seen { mesh, pose, .. } = &straight.seen;
    if !Shown::ahead(mesh, pose).done {
        return Err(Doubt::Missing(Action::LookStraight));
    }
    for seen in others.iter().flatten() {
        one_person(straight, seen, same * SAME_PERSON)?;
    }
    for (action, seen) in steps.iter().skip(1).zip(others) {
        let seen = seen.as_ref().ok_or(Doubt::Missing(*action))?;
        straight.check(*action, &seen.mesh, &seen.pose)?;
    }
    let all = others.iter().flatten().chain([&straight.seen]);
    no_screen(all.map(|seen| &seen.passive))
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

fn one_person(straight: &Straight, other: &Seen, same: f32) -> Result<(), Doubt> {
    // Templates of one engine compare; if they did not, they would not be one person's either.
    match straight.seen.template.distance(&other.template) {
        Ok(distance) if distance <= same => Ok(()),
        _ => Err(Doubt::OtherPerson),
    }
}

/// How far a pose goes of the way that an action asks for: 0 as straight ahead, 1 and more when done.
pub fn progress(action: Action, straight: &Pose, pose: &Pose) -> f32 {
    match action {
        Action::LookStraight => f32::from(u8::from(pose.yaw.abs() <= STRAIGHT)),
        Action::TurnLeft => (pose.yaw - straight.yaw) / TURN,
        Action::TurnRight => (straight.yaw - pose.yaw) / TURN,
        Action::LookUp => (pose.pitch - straight.pitch) / RISE,
        // A tilted photo narrows the eyes only against their width, a turned one only against the face.
        Action::Blink => {
            let closed = |now: f32, usual: f32| 1.0 - now / usual.max(f32::MIN_POSITIVE);
            closed(pose.lids, straight.lids).min(closed(pose.eyes, straight.eyes)) / (1.0 - BLINK)
        }
        Action::OpenMouth => (pose.mouth - straight.mouth) / MOUTH,
        Action::ComeCloser => {
            (pose.size / straight.size.max(f32::MIN_POSITIVE) - 1.0) / (CLOSER - 1.0)
        }
    }
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
    fn of_two_frames_the_one_that_did_it_stands_for_its_step() {
        let shown = |done, progress| Shown { done, progress };
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
        assert!(ahead(STRAIGHT).done && !ahead(-STRAIGHT - 0.1).done);
    }

    #[test]
    fn an_action_is_measured_against_the_same_face_at_rest() {
        let mesh = Mesh::of(vec![[0.0; 3]; COUNT]);
        let rest = Pose {
            yaw: 5.0,
            pitch: -8.0,
            eyes: 0.3,
            lids: 0.1,
            mouth: 0.05,
            size: 100.0,
            breadth: 0.9,
        };
        assert_eq!(Pose::of(&mesh).size, f32::MIN_POSITIVE);
        let way = |action, pose: Pose| progress(action, &rest, &pose);
        assert!(
            way(
                Action::TurnLeft,
                Pose {
                    yaw: 5.0 + TURN,
                    ..rest
                }
            ) >= 1.0
        );
        assert!(
            way(
                Action::TurnRight,
                Pose {
                    yaw: 5.0 + TURN,
                    ..rest
                }
            ) <= -1.0
        );
        assert!(
            way(
                Action::LookUp,
                Pose {
                    pitch: -8.0 + RISE,
                    ..rest
                }
            ) >= 1.0
        );
        assert!(
            way(
                Action::ComeCloser,
                Pose {
                    size: 126.0,
                    ..rest
                }
            ) > 1.0
        );
        assert!(
            way(
                Action::OpenMouth,
                Pose {
                    mouth: 0.06,
                    ..rest
                }
            ) < 0.1
        );
        let blink = Pose {
            eyes: 0.15,
            lids: 0.05,
            ..rest
        };
        assert!(way(Action::Blink, blink) > 1.0);
        // A tilted picture narrows the one and not the other.
        assert!(way(Action::Blink, Pose { eyes: 0.15, ..rest }) < 0.1);
        for action in Action::ASKED {
            assert!(way(action, rest).abs() < 1e-6, "{action:?}");
        }
    }
}
