//! The way from the frames of one answer to templates and a verdict on liveness.

use sha2::{Digest, Sha256};

use crate::liveness::passive::Passive;
use crate::liveness::pose::Pose;
use crate::liveness::{Action, Doubt, Seen, Sent, Shown, Straight, judge, judge_alone};
use crate::tracker::{FaceTracker, TrackedFace};
use crate::{Engine, Fingerprint, FmrLevel, PhotoError, Template};

/// One photo of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The bytes of an image file.
    pub photo: &'a [u8],
    /// Number of the step it shows, counted from 0 in the order asked.
    pub step: usize,
    /// Milliseconds since the challenge was shown.
    pub at_ms: i64,
}

/// What a person was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Nothing: a photo of a face passes as the face.
    Nothing,
    /// To be there: what one picture gives away is looked for.
    Presence,
    /// A [challenge](crate::liveness::draw): its actions, the first of them to look straight ahead.
    Actions(&'a [Action]),
}

/// What the frames of an answer show.
#[derive(Debug)]
pub struct Scan {
    /// The templates of the frames that look straight ahead, which are all unless more was asked for;
    /// never empty.
    pub templates: Vec<Template>,
    /// Whether the face lives as was asked.
    pub liveness: Result<(), Doubt>,
    /// One for every frame of the scan, in their order.
    pub fingerprints: Vec<Fingerprint>,
}

pub(crate) fn scan(
    engine: &Engine,
    frames: &[Frame<'_>],
    asked: Asked<'_>,
) -> Result<Scan, PhotoError> {
    if frames.is_empty() {
        return Err(PhotoError::Internal("there is no frame".into()));
    }
    match asked {
        Asked::Actions(steps) => actions(engine, frames, steps),
        Asked::Nothing | Asked::Presence => presence(engine, frames, asked == Asked::Presence),
    }
}

/// Frames that all look straight ahead; `live` if they must not show a screen.
fn presence(engine: &Engine, frames: &[Frame<'_>], live: bool) -> Result<Scan, PhotoError> {
    let mut camera = FaceTracker::new(engine);
    let (mut templates, mut passive) = (Vec::new(), Vec::new());
    for frame in frames {
        let look = camera.look(frame.photo)?;
        templates.push(look.template(engine)?);
        if live {
            passive.push(Passive::of(&look.image, look.mesh()?));
        }
    }
    let liveness = if live {
        judge_alone(&sent(frames), &passive)
    } else {
        Ok(())
    };
    Ok(Scan {
        templates,
        liveness,
        fingerprints: camera.fingerprints,
    })
}

/// Frames that answer a challenge. What they cost does not depend on how far they fit it.
fn actions(engine: &Engine, frames: &[Frame<'_>], steps: &[Action]) -> Result<Scan, PhotoError> {
    let mut camera = FaceTracker::new(engine);
    let (straight, templates) = straight(&mut camera, frames)?;
    let mut others = Vec::with_capacity(steps.len());
    for (number, action) in steps.iter().enumerate().skip(1) {
        // Of each step one picture is kept, so that an answer takes the memory of two.
        let mut best = None;
        for frame in frames.iter().filter(|frame| frame.step == number) {
            let look = camera.look(frame.photo)?;
            let shown = straight.shown(*action, look.mesh()?, &look.pose()?);
            if best.as_ref().is_none_or(|(most, _)| shown > *most) {
                best = Some((shown, look));
            }
        }
        let standing = |(_, look): (Shown, TrackedFace)| {
            let template = engine.sketch_of(&look.image, &look.place)?;
            seen(look, template)
        };
        others.push(best.map(standing).transpose()?);
    }
    let same = engine.info.threshold(FmrLevel::OneIn1000);
    Ok(Scan {
        templates,
        liveness: judge(steps, &sent(frames), &straight, &others, same),
        fingerprints: camera.fingerprints,
    })
}

/// The straightest frame of the first step, and the templates of all of them.
fn straight(
    camera: &mut FaceTracker<'_>,
    frames: &[Frame<'_>],
) -> Result<(Straight, Vec<Template>), PhotoError> {
    let mut templates = Vec::new();
    let mut best: Option<(Shown, TrackedFace, Template)> = None;
    let (mut eyes, mut lids) = (0.0_f32, 0.0_f32);
    for frame in frames.iter().filter(|frame| frame.step == 0) {
        let look = camera.look(frame.photo)?;
        let template = look.template(camera.engine)?;
        templates.push(template.clone());
        let pose = look.pose()?;
        (eyes, lids) = (eyes.max(pose.eyes), lids.max(pose.lids));
        let shown = Shown::ahead(look.mesh()?, &pose);
        if best.as_ref().is_none_or(|(most, ..)| shown > *most) {
            best = Some((shown, look, template));
        }
    }
    let (_, look, template) =
        best.ok_or_else(|| PhotoError::Internal("no frame looks straight ahead".into()))?;
    let seen = seen(look, template)?;
    let usual = Pose {
        eyes,
        lids,
        ..seen.pose
    };
    Ok((Straight { seen, usual }, templates))
}

/// What the frame that stands for a step shows.
fn seen(look: TrackedFace, template: Template) -> Result<Seen, PhotoError> {
    let passive = Passive::of(&look.image, look.mesh()?);
    let mesh = look.into_mesh()?;
    Ok(Seen {
        pose: Pose::of(&mesh),
        passive,
        mesh,
        template,
    })
}

fn sent(frames: &[Frame<'_>]) -> Vec<Sent> {
    let sent = frames.iter().map(|frame| Sent {
        step: frame.step,
        at_ms: frame.at_ms,
        digest: Sha256::digest(frame.photo).into(),
    });
    sent.collect()
}
