//! The way from the frames of one answer to templates and a verdict on liveness.

use sha2::{Digest, Sha256};

use crate::align::Place;
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::liveness::passive::Passive;
use crate::liveness::pose::Pose;
use crate::liveness::{Action, Doubt, Seen, judge, judge_alone};
use crate::mesh::Mesh;
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

/// Where the mesh is this sure, a face that was there a moment ago is there still.
const STILL_THERE: f32 = 0.9;
/// Farthest a face moves from one frame to the next while it is followed, in units of its own size.
const FARTHEST: f32 = 0.5;

pub(crate) fn scan(
    engine: &Engine,
    frames: &[Frame<'_>],
    asked: Asked<'_>,
) -> Result<Scan, PhotoError> {
    let mut templates = Vec::new();
    let mut seen = Vec::with_capacity(frames.len());
    let mut before = None;
    for frame in frames {
        let image = engine.open(frame.photo)?;
        let (place, mesh) = follow(engine, &image, before)?;
        before = Some((place.shape, image.width(), image.height()));
        let must_be_sound = !matches!(asked, Asked::Actions(_)) || frame.step == 0;
        let template = if must_be_sound {
            let template = engine.template_of(&image, &place, mesh.as_ref())?;
            templates.push(template.clone());
            template
        } else {
            engine.sketch_of(&image, &place)?
        };
        if asked == Asked::Nothing {
            continue;
        }
        let mesh = mesh.ok_or_else(|| {
            PhotoError::Internal("this pack has no mesh, so it cannot prove life".into())
        })?;
        seen.push(Seen {
            step: frame.step,
            at_ms: frame.at_ms,
            digest: Sha256::digest(frame.photo).into(),
            pose: Pose::of(&mesh),
            passive: Passive::of(&image, &mesh),
            mesh,
            template,
        });
    }
    if templates.is_empty() {
        return Err(PhotoError::Internal("no frame looks straight ahead".into()));
    }
    let liveness = match asked {
        Asked::Nothing => Ok(()),
        Asked::Presence => judge_alone(&seen),
        Asked::Actions(steps) => judge(steps, &seen, engine.info.threshold(FmrLevel::OneIn1000)),
    };
    Ok(Scan {
        templates,
        liveness,
    })
}

/// Where the face is: near where it was a moment ago, if it is there still, else anywhere.
pub(crate) fn follow(
    engine: &Engine,
    image: &Image,
    before: Option<(Similarity, usize, usize)>,
) -> Result<(Place, Option<Mesh>), PhotoError> {
    if let Some((near, width, height)) = before
        && (width, height) == (image.width(), image.height())
    {
        // Where there is no face any more, the landmarks may fall together; then it is looked for anew.
        if let Ok(place) = engine.find_near(image, near)
            && distance(near, place.shape) <= FARTHEST
        {
            let mesh = engine.mesh(image, place.shape)?;
            if mesh.as_ref().is_some_and(|m| m.confidence >= STILL_THERE) {
                return Ok((place, mesh));
            }
        }
    }
    let place = engine.find(image)?;
    let mesh = engine.mesh(image, place.shape)?;
    Ok((place, mesh))
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
