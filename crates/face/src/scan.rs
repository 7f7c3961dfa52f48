//! The way from the frames of one answer to templates and a verdict on liveness.

use sha2::{Digest, Sha256};

use crate::align::Alignment;
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::liveness::passive::Passive;
use crate::liveness::pose::Pose;
use crate::liveness::{Action, Doubt, Seen, Sent, Shown, Straight, judge, judge_alone};
use crate::mesh::{self, Mesh};
use crate::{Engine, FmrLevel, PhotoError, Template};

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
}

/// Farthest a face moves from one frame to the next while it is followed, in units of its own size.
const FARTHEST: f32 = 0.5;

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
    let mut camera = Camera::of(engine);
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
    })
}

/// Frames that answer a challenge. What they cost does not depend on how far they fit it.
fn actions(engine: &Engine, frames: &[Frame<'_>], steps: &[Action]) -> Result<Scan, PhotoError> {
    let mut camera = Camera::of(engine);
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
        let seen = |(_, look): (Shown, Look)| {
            let template = engine.sketch_of(&look.image, &look.place)?;
            look.seen(template)
        };
        others.push(best.map(seen).transpose()?);
    }
    let same = engine.info.threshold(FmrLevel::OneIn1000);
    Ok(Scan {
        templates,
        liveness: judge(steps, &sent(frames), &straight, &others, same),
    })
}

/// The straightest frame of the first step, and the templates of all of them.
fn straight(
    camera: &mut Camera<'_>,
    frames: &[Frame<'_>],
) -> Result<(Straight, Vec<Template>), PhotoError> {
    let mut templates = Vec::new();
    let mut best: Option<(Shown, Look, Template)> = None;
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
    let seen = look.seen(template)?;
    let usual = Pose {
        eyes,
        lids,
        ..seen.pose
    };
    Ok((Straight { seen, usual }, templates))
}

/// Looks at one frame after the other, and first where the face was before.
struct Camera<'a> {
    engine: &'a Engine,
    before: Option<(Similarity, usize, usize)>,
}

impl<'a> Camera<'a> {
    fn of(engine: &'a Engine) -> Self {
        Self {
            engine,
            before: None,
        }
    }

    fn look(&mut self, photo: &[u8]) -> Result<Look, PhotoError> {
        let image = self.engine.open(photo)?;
        let (place, mesh) = follow(self.engine, &image, self.before)?;
        self.before = Some((place.shape, image.width(), image.height()));
        Ok(Look { image, place, mesh })
    }
}

/// A picture and the face in it.
struct Look {
    image: Image,
    place: Alignment,
    mesh: Option<Mesh>,
}

impl Look {
    fn mesh(&self) -> Result<&Mesh, PhotoError> {
        self.mesh.as_ref().ok_or_else(no_mesh)
    }

    fn pose(&self) -> Result<Pose, PhotoError> {
        self.mesh().map(Pose::of)
    }

    /// The template, if the face is good enough to be compared.
    fn template(&self, engine: &Engine) -> Result<Template, PhotoError> {
        engine.template_of(&self.image, &self.place, self.mesh.as_ref())
    }

    fn seen(self, template: Template) -> Result<Seen, PhotoError> {
        let mesh = self.mesh.ok_or_else(no_mesh)?;
        Ok(Seen {
            pose: Pose::of(&mesh),
            passive: Passive::of(&self.image, &mesh),
            mesh,
            template,
        })
    }
}

fn sent(frames: &[Frame<'_>]) -> Vec<Sent> {
    let sent = frames.iter().map(|frame| Sent {
        step: frame.step,
        at_ms: frame.at_ms,
        digest: Sha256::digest(frame.photo).into(),
    });
    sent.collect()
}

pub(crate) fn no_mesh() -> PhotoError {
    PhotoError::Internal("this pack has no mesh, so it cannot prove life".into())
}

/// Where the face is: near where it was a moment ago, if it is there still, else anywhere.
pub(crate) fn follow(
    engine: &Engine,
    image: &Image,
    before: Option<(Similarity, usize, usize)>,
) -> Result<(Alignment, Option<Mesh>), PhotoError> {
    if let Some((near, width, height)) = before
        && (width, height) == (image.width(), image.height())
    {
        // Where there is no face any more, the landmarks may fall together; then it is looked for anew.
        if let Ok(place) = engine.find_near(image, near)
            && distance(near, place.shape) <= FARTHEST
        {
            let (place, mesh) = engine.settled(image, place)?;
            if mesh.as_ref().is_some_and(|m| m.confidence >= mesh::SURE) {
                return Ok((place, mesh));
            }
        }
    }
    engine.settled(image, engine.find(image)?)
}

/// How far the middle of a face has moved, in units of its size; infinite if it grew or shrank too much to
/// be the same look.
fn distance(before: Similarity, now: Similarity) -> f32 {
    let middle = |shape: Similarity| shape.apply(Point::new(0.5, 0.5));
    let (from, to) = (middle(before), middle(now));
    let growth = now.scale() / before.scale();
    if (0.7..1.45).contains(&growth) {
        (to.x - from.x).hypot(to.y - from.y) / before.scale()
    } else {
        f32::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn landmarks_that_slipped_are_brought_back() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build");
        let engine = Engine::load(&models.join("default")).expect("run `make models`");
        for person in 1..=6 {
            let photo = models.join(format!("demo-faces/person{person}/01.jpg"));
            let image = engine.open(&std::fs::read(photo).unwrap()).unwrap();
            let found = engine.find(&image).unwrap();
            let far = found.shape.scale() * 0.3;
            let slipped = Alignment {
                shape: Similarity {
                    tx: found.shape.tx + far,
                    ..found.shape
                },
                five: found.five.map(|p| Point::new(p.x + far, p.y)),
            };
            assert!(!slipped.fits(&found.five));
            let (settled, mesh) = engine.settled(&image, slipped).unwrap();
            assert!(settled.fits(&found.five), "person {person}");
            assert!(settled.fits(&mesh.unwrap().five()));
        }
    }
}
