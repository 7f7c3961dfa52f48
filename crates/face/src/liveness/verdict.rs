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
const RISE: f32 = 9.0;
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
            Self::Flat | Self::OtherPerson | Self::Screen => None,
        }
    }
}

/// What one frame shows.
pub(crate) struct Seen {
    /// Number of the step it belongs to.
    pub step: usize,
    /// Milliseconds since the challenge was shown.
    pub at_ms: i64,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    pub mesh: Mesh,
    pub pose: Pose,
    pub passive: Passive,
    pub template: Template,
}

/// Judges the answer to a challenge. `same` is the largest distance at which two frames show one person.
pub(crate) fn judge(steps: &[Action], frames: &[Seen], same: f32) -> Result<(), Doubt> {
    once(frames)?;
    in_order(frames)?;
    let straight = straight(frames)?;
    one_person(straight, frames, same * SAME_PERSON)?;
    for (number, action) in steps.iter().enumerate() {
        if *action != Action::LookStraight {
            let of_step = frames.iter().filter(|frame| frame.step == number);
            done(*action, &usual(straight, frames), straight, of_step)?;
        }
    }
    no_screen(frames)
}

/// How the face usually looks: as in the straight frame, with the eyes as open as in any of that step, for
/// people blink unasked as well.
fn usual(straight: &Seen, frames: &[Seen]) -> Pose {
    let of_step = frames.iter().filter(|frame| frame.step == straight.step);
    Pose {
        lids: of_step
            .clone()
            .map(|frame| frame.pose.lids)
            .fold(0.0, f32::max),
        eyes: of_step.map(|frame| frame.pose.eyes).fold(0.0, f32::max),
        ..straight.pose
    }
}

/// Judges frames for which nothing was asked.
pub(crate) fn judge_alone(frames: &[Seen]) -> Result<(), Doubt> {
    once(frames)?;
    no_screen(frames)
}

fn once(frames: &[Seen]) -> Result<(), Doubt> {
    let again = |(i, frame): (usize, &Seen)| frames[..i].iter().any(|f| f.digest == frame.digest);
    if frames.iter().enumerate().any(again) {
        return Err(Doubt::Repeated);
    }
    Ok(())
}

/// Steps come in their order, times rise, and each step takes its time.
fn in_order(frames: &[Seen]) -> Result<(), Doubt> {
    for pair in frames.windows(2) {
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

/// The frame of the first step that looks straightest.
fn straight(frames: &[Seen]) -> Result<&Seen, Doubt> {
    frames
        .iter()
        .filter(|frame| frame.step == 0 && frame.mesh.confidence >= CONFIDENCE)
        .min_by(|a, b| a.pose.yaw.abs().total_cmp(&b.pose.yaw.abs()))
        .filter(|frame| frame.pose.yaw.abs() <= STRAIGHT)
        .ok_or(Doubt::Missing(Action::LookStraight))
}

fn one_person(straight: &Seen, frames: &[Seen], same: f32) -> Result<(), Doubt> {
    for frame in frames {
        // Templates of one engine compare; if they did not, they would not be one person's either.
        if straight
            .template
            .distance(&frame.template)
            .is_ok_and(|d| d <= same)
        {
            continue;
        }
        return Err(Doubt::OtherPerson);
    }
    Ok(())
}

/// Whether any frame of a step shows the action, and shows it in the round.
fn done<'a>(
    action: Action,
    usual: &Pose,
    straight: &Seen,
    frames: impl Iterator<Item = &'a Seen>,
) -> Result<(), Doubt> {
    let mut doubt = Doubt::Missing(action);
    for frame in frames.filter(|frame| frame.mesh.confidence >= CONFIDENCE) {
        if progress(action, usual, &frame.pose) < 1.0 {
            continue;
        }
        if !action.turns() || is_round(action, straight, frame) {
            return Ok(());
        }
        doubt = Doubt::Flat;
    }
    Err(doubt)
}

/// How far a pose goes of the way that an action asks for: 0 as straight ahead, 1 and more when done.
pub(crate) fn progress(action: Action, straight: &Pose, pose: &Pose) -> f32 {
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

fn is_round(action: Action, straight: &Seen, frame: &Seen) -> bool {
    let depth = depth(&straight.mesh, &frame.mesh);
    match action {
        Action::LookUp => depth >= RISE_DEPTH,
        _ => depth >= DEPTH && frame.pose.breadth >= BREADTH * straight.pose.breadth,
    }
}

fn no_screen(frames: &[Seen]) -> Result<(), Doubt> {
    if frames.iter().any(|frame| frame.passive.shows_a_screen()) {
        return Err(Doubt::Screen);
    }
    Ok(())
}
