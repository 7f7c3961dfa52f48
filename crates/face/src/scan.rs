//! The way from the frames of one answer to templates and a verdict on liveness.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::liveness::passive::Passive;
use crate::liveness::{
    Action, Answer, Doubt, Evidence, Moment, Sent, Shown, Straight, Texture, judge, judge_alone,
    progress,
};
use crate::tracker::{FaceTracker, TrackedFace};
use crate::{Engine, Fingerprint, FmrLevel, PhotoError, Template};
use sight::{Pose, Usual};

/// Largest turn from the straight frame, degrees, of a face that may stand for the person later.
const SLIGHTLY: f32 = 20.0;
/// How far its eyes, mouth and nearness may have gone of the way that an action asks for.
const HARDLY: f32 = 0.7;

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

/// What the templates of a scan are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be compared with references: only frames on which the verdict rests are asked whose they are.
    Comparison,
    /// To become references: every frame is asked, for what else shows the face well is kept.
    Enrolment,
}

/// What the frames of an answer show.
#[derive(Debug)]
pub struct Scan {
    /// The templates of the frames that look straight ahead, which are all unless more was asked for;
    /// never empty.
    pub templates: Vec<Template>,
    /// For an enrolment, those of other frames of a challenge's answer that show the face well: seen from a little aside, or
    /// with another expression. The verdict does not say whose they are.
    pub more: Vec<Template>,
    /// Whether the face lives as was asked.
    pub liveness: Result<(), Doubt>,
    /// One for every frame of the scan, in their order.
    pub fingerprints: Vec<Fingerprint>,
    /// What the frames of a challenge's answer show in numbers: for measuring, never for who is judged.
    pub evidence: Option<Evidence>,
}

pub(crate) fn scan(
    engine: &Engine,
    frames: &[Frame<'_>],
    asked: Asked<'_>,
    purpose: Purpose,
) -> Result<Scan, PhotoError> {
    if frames.is_empty() {
        return Err(PhotoError::Internal("there is no frame".into()));
    }
    match asked {
        Asked::Actions(steps) => actions(engine, frames, steps, purpose),
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
            passive.push(screen(engine, &look)?);
        }
    }
    let liveness = if live {
        judge_alone(&sent(frames), &passive)
    } else {
        Ok(())
    };
    Ok(Scan {
        templates,
        more: Vec::new(),
        liveness,
        fingerprints: camera.fingerprints,
        evidence: None,
    })
}

/// Frames that answer a challenge. What they cost does not depend on how far they fit it.
fn actions(
    engine: &Engine,
    frames: &[Frame<'_>],
    steps: &[Action],
    purpose: Purpose,
) -> Result<Scan, PhotoError> {
    let mut camera = FaceTracker::new(engine);
    let mut passive = Vec::with_capacity(steps.len());
    let (straight, templates) = straight(&mut camera, frames, &mut passive)?;
    let (mut moments, mut more) = (Vec::new(), Vec::new());
    let mut likeness = BTreeMap::new();
    for (number, action) in steps.iter().enumerate().skip(1) {
        // Of each step one picture is kept, so that an answer takes the memory of two.
        let mut best: Option<Best> = None;
        for frame in frames.iter().filter(|frame| frame.step == number) {
            let look = camera.look(frame.photo)?;
            let (pose, mesh) = (look.pose()?, look.mesh()?);
            let shown = Shown::doing(*action, &straight.usual, mesh, &pose);
            if shown.counts() {
                moments.push(Moment {
                    step: number,
                    distance: None,
                    pose,
                });
            }
            let mut template = None;
            if purpose == Purpose::Enrolment {
                let (some, is_good) = some_template(engine, &look, &straight.usual)?;
                more.extend(is_good.then(|| some.clone()));
                template = Some(some);
            }
            if best.as_ref().is_none_or(|best| shown > best.shown) {
                best = Some(Best {
                    moment: shown.counts().then(|| moments.len() - 1),
                    shown,
                    look,
                    template,
                });
            }
        }
        let Some(best) = best else { continue };
        let template = match best.template {
            Some(template) => template,
            None => some_template(engine, &best.look, &straight.usual)?.0,
        };
        if let Some(moment) = best.moment.and_then(|moment| moments.get_mut(moment)) {
            let distance = straight.template.distance(&template);
            moment.distance = distance.ok().map(|d| d / same(engine));
        }
        passive.push(screen(engine, &best.look)?);
        let (image, mesh) = (&best.look.image, best.look.mesh()?);
        let alike = || straight.texture.likeness(image, mesh);
        likeness.insert(number, engine.stages.skin.time(alike));
    }
    let (liveness, evidence) = judge(&Answer {
        steps,
        sent: &sent(frames),
        straight: &straight,
        moments: &moments,
        likeness: &likeness,
        passive: &passive,
    });
    Ok(Scan {
        templates,
        more,
        liveness,
        fingerprints: camera.fingerprints,
        evidence: Some(evidence),
    })
}

/// The frame that shows a step best, and so stands for it: what the others show may speak against an answer and never for
/// it, so nobody asks whose faces they are.
struct Best {
    shown: Shown,
    look: TrackedFace,
    /// Its template, where it has one already.
    template: Option<Template>,
    /// Its number among the moments, if it lies on a face.
    moment: Option<usize>,
}

/// The distance at which two photos are one person in 999 of 1,000 cases.
fn same(engine: &Engine) -> f32 {
    engine.info.threshold(FmrLevel::OneIn1000)
}

/// A template of a face however it is held, and whether it is good enough to stand for the person later.
fn some_template(
    engine: &Engine,
    look: &TrackedFace,
    usual: &Pose,
) -> Result<(Template, bool), PhotoError> {
    let pose = look.pose()?;
    let far = |action| progress(action, usual, &pose) > HARDLY;
    let odd = Action::ASKED.into_iter().filter(|a| !a.turns()).any(far);
    if !odd
        && (pose.yaw - usual.yaw).abs() <= SLIGHTLY
        && let Ok(template) = look.template(engine)
    {
        return Ok((template, true));
    }
    let template = engine.sketch_of(&look.image, &look.place)?;
    Ok((template, false))
}

/// The straightest frame of the first step, and the templates of all of them.
fn straight(
    camera: &mut FaceTracker<'_>,
    frames: &[Frame<'_>],
    passive: &mut Vec<Passive>,
) -> Result<(Straight, Vec<Template>), PhotoError> {
    let mut templates: Vec<Template> = Vec::new();
    let mut best: Option<(Shown, TrackedFace, Template)> = None;
    let (mut usual, mut apart) = (Usual::default(), 0.0_f32);
    for frame in frames.iter().filter(|frame| frame.step == 0) {
        let look = camera.look(frame.photo)?;
        let template = look.template(camera.engine)?;
        for before in &templates {
            let distance = template.distance(before).unwrap_or(f32::MAX);
            apart = apart.max(distance / same(camera.engine));
        }
        templates.push(template.clone());
        let pose = look.pose()?;
        usual.see(&pose);
        let shown = Shown::ahead(look.mesh()?, &pose);
        if best.as_ref().is_none_or(|(most, ..)| shown > *most) {
            best = Some((shown, look, template));
        }
    }
    let (shown, look, template) =
        best.ok_or_else(|| PhotoError::Internal("no frame looks straight ahead".into()))?;
    let mesh = look.mesh()?;
    let engine = camera.engine;
    passive.push(screen(engine, &look)?);
    let texture = || Texture::of(&look.image, mesh);
    let straight = Straight {
        usual: usual.of(look.pose()?),
        is_ahead: shown.counts(),
        texture: engine.stages.skin.time(texture),
        template,
        apart,
    };
    Ok((straight, templates))
}

/// What the picture alone gives away.
fn screen(engine: &Engine, look: &TrackedFace) -> Result<Passive, PhotoError> {
    let mesh = look.mesh()?;
    let passive = || Passive::of(&look.image, mesh);
    Ok(engine.stages.screen.time(passive))
}

fn sent(frames: &[Frame<'_>]) -> Vec<Sent> {
    let sent = frames.iter().map(|frame| Sent {
        step: frame.step,
        at_ms: frame.at_ms,
        digest: Sha256::digest(frame.photo).into(),
    });
    sent.collect()
}
