//! Answers that a clip's person might have given: what they do in it, cut out and put in order.

use face::liveness::{Action, Pose, orders, progress};
use face::{Engine, FaceTracker, Image, PhotoError};

use super::simulated_camera::jpeg;

/// A person does a thing in a clip if they go this part of the way that is asked for; whether the
/// verdict agrees is what is measured.
const DONE: f32 = 0.6;

/// A clip, looked through.
pub(super) struct Clip {
    pub name: String,
    pub frames: Vec<ClipFrame>,
    /// Number of the frame that looks straightest.
    pub straight: usize,
    /// What the person does, with the frame that shows it most.
    pub done: Vec<(Action, usize)>,
}

/// One frame of a clip.
pub(super) struct ClipFrame {
    pub image: Image,
    pub pose: Pose,
}

impl Clip {
    /// Looks through the frames, photos as a camera took them.
    pub(super) fn of(engine: &Engine, name: &str, photos: &[Vec<u8>]) -> Result<Self, PhotoError> {
        let mut tracker = FaceTracker::new(engine);
        let frames = photos
            .iter()
            .map(|photo| {
                let face = tracker.look(photo)?;
                let pose = face.pose()?;
                Ok(ClipFrame {
                    image: face.into_image(),
                    pose,
                })
            })
            .collect::<Result<Vec<_>, PhotoError>>()?;
        let straight = straightest(&frames).ok_or(PhotoError::NoFace)?;
        let done = Action::ASKED
            .into_iter()
            .filter_map(|action| {
                let at = frames[straight].pose;
                let most = (0..frames.len()).max_by(|a, b| {
                    let way = |i: usize| progress(action, &at, &frames[i].pose);
                    way(*a).total_cmp(&way(*b))
                })?;
                (progress(action, &at, &frames[most].pose) >= DONE).then_some((action, most))
            })
            .collect();
        Ok(Self {
            name: name.to_owned(),
            frames,
            straight,
            done,
        })
    }

    /// Every challenge that the clip could answer; where the person does not do enough for one, the single
    /// actions they do, so that these are measured at least.
    pub(super) fn challenges(&self) -> Vec<Vec<Action>> {
        let does = |action: &Action| self.done.iter().any(|(a, _)| a == action);
        let whole: Vec<Vec<Action>> = orders(&[])
            .into_iter()
            .filter(|order| order.iter().all(does))
            .collect();
        if whole.is_empty() {
            self.done.iter().map(|(action, _)| vec![*action]).collect()
        } else {
            whole
        }
    }

    /// Frames that show an action, two a step as a phone sends them: on the way and at its end. `None` if
    /// the person does not do it.
    pub(super) fn showing(&self, action: Action) -> Option<[usize; 2]> {
        let at = if action == Action::LookStraight {
            self.straight
        } else {
            self.done.iter().find(|(a, _)| *a == action)?.1
        };
        let before = if at == 0 { 1 } else { at - 1 };
        Some([before.min(self.frames.len() - 1), at])
    }
}

/// The frame that looks into the camera: hardly turned or raised, the eyes as open as in the clip's most
/// open quarter, the mouth shut.
fn straightest(frames: &[ClipFrame]) -> Option<usize> {
    let quantile = |part: f32, value: fn(&Pose) -> f32| {
        let mut values: Vec<f32> = frames.iter().map(|f| value(&f.pose)).collect();
        values.sort_by(f32::total_cmp);
        let at = (values.len() as f32 * part) as usize;
        values.get(at).copied().unwrap_or(0.0)
    };
    let pitch = quantile(0.5, |p| p.pitch);
    let eyes = quantile(0.75, |p| p.eyes);
    let oddness = |p: &Pose| {
        p.yaw.abs() + (p.pitch - pitch).abs() + 60.0 * (eyes - p.eyes).max(0.0) + 60.0 * p.mouth
    };
    (0..frames.len()).min_by(|a, b| oddness(&frames[*a].pose).total_cmp(&oddness(&frames[*b].pose)))
}

/// A photo of an answer before it is encoded, and the step it is sent for.
pub(super) type Shot = (usize, Image);

/// The shots of a person who does what is asked.
pub(super) fn bona_fide(clip: &Clip, asked: &[Action]) -> Option<Vec<Shot>> {
    let mut shots = Vec::new();
    for (step, action) in asked.iter().enumerate() {
        for frame in clip.showing(*action)? {
            shots.push((step, clip.frames[frame].image.clone()));
        }
    }
    Some(shots)
}

/// Files and times as a phone would send them: times rise by a tenth of a second within a step and by a second
/// between steps. No two files are alike, for no attacker would send one twice.
pub(super) fn files(shots: &[Shot]) -> Vec<(Vec<u8>, usize, i64)> {
    let mut at = 0;
    let mut step_before = 0;
    let mut quality = 96;
    shots
        .iter()
        .map(|(step, image)| {
            at += if *step == step_before { 100 } else { 1000 };
            step_before = *step;
            quality = if quality == 80 { 95 } else { quality - 1 };
            (jpeg(image, quality), *step, at)
        })
        .collect()
}
