//! Answers that a clip's person might have given: what they do in it, cut out and put in order.

use face::liveness::{Action, Pose, orders};
use face::{Engine, FaceTracker, Image, PhotoError};
use rand::{RngExt as _, rngs::StdRng};
use recording::{heights, straightest};

use super::simulated_camera::jpeg;

/// A clip, looked through.
pub(super) struct Clip {
    pub name: String,
    pub frames: Vec<ClipFrame>,
    /// Number of the frame that looks straightest.
    pub straight: usize,
    /// What the person does, with the frames that show it at its height.
    pub done: Vec<(Action, Vec<usize>)>,
    /// How far the person goes at most, for every action: 1 is just enough to count as done.
    pub extent: Vec<(Action, f32)>,
}

/// One frame of a clip.
pub(super) struct ClipFrame {
    pub image: Image,
    pub pose: Pose,
    /// The face's mesh, in pixels.
    pub points: Vec<[f32; 3]>,
}

/// How far a person went of what counts as having done a thing: what another would see in the pictures,
/// whether or not the verdict agrees. 10° to a side, 6° up, lids at 3/4, lips apart by a tenth of the eyes' distance,
/// a face larger by 15 %.
fn extent(action: Action, straight: &Pose, pose: &Pose) -> f32 {
    match action {
        Action::LookStraight => 0.0,
        Action::TurnLeft => (pose.yaw - straight.yaw) / 10.0,
        Action::TurnRight => (straight.yaw - pose.yaw) / 10.0,
        Action::LookUp => (pose.pitch - straight.pitch) / 6.0,
        Action::Blink => (1.0 - (pose.lids / straight.lids).max(pose.eyes / straight.eyes)) / 0.25,
        Action::OpenMouth => (pose.mouth - straight.mouth) / 0.10,
        Action::ComeCloser => (pose.size / straight.size - 1.0) / 0.15,
    }
}

impl Clip {
    /// Looks through the frames, photos as a camera took them.
    pub(super) fn of(engine: &Engine, name: &str, photos: &[Vec<u8>]) -> Result<Self, PhotoError> {
        let mut tracker = FaceTracker::new(engine);
        let frames = photos
            .iter()
            .map(|photo| {
                let face = tracker.look(photo)?;
                Ok(ClipFrame {
                    pose: face.pose()?,
                    points: face.points()?,
                    image: face.into_image(),
                })
            })
            .collect::<Result<Vec<_>, PhotoError>>()?;
        let poses: Vec<Pose> = frames.iter().map(|frame| frame.pose).collect();
        let straight = straightest(&poses).ok_or(PhotoError::NoFace)?;
        let (mut done, mut most) = (Vec::new(), Vec::new());
        for action in Action::ASKED {
            let far = poses
                .iter()
                .map(|pose| extent(action, &poses[straight], pose));
            let far: Vec<f32> = far.collect();
            let heights = heights(&far, 1.0);
            if !heights.is_empty() {
                done.push((action, heights));
            }
            most.push((action, far.into_iter().fold(0.0, f32::max)));
        }
        Ok(Self {
            name: name.to_owned(),
            frames,
            straight,
            done,
            extent: most,
        })
    }

    /// Every challenge that the clip could answer.
    pub(super) fn challenges(&self) -> Vec<Vec<Action>> {
        let does = |action: &Action| self.done.iter().any(|(a, _)| a == action);
        let all = orders(&[]).into_iter();
        all.filter(|order| order.iter().all(does)).collect()
    }

    /// Whether a frame shows an action.
    pub(super) fn shows(&self, action: Action, frame: usize) -> bool {
        let pose = |i: usize| &self.frames[i].pose;
        extent(action, pose(self.straight), pose(frame)) >= 1.0
    }

    /// The frames in which the person does what is asked, each with its step.
    pub(super) fn cut(&self, asked: &[Action], random: &mut StdRng) -> Option<Vec<(usize, usize)>> {
        let mut cut = Vec::new();
        for (step, action) in asked.iter().enumerate() {
            cut.extend(self.showing(*action, random)?.map(|frame| (step, frame)));
        }
        Some(cut)
    }

    /// Frames that show an action, two a step as a phone sends them: on the way and at its end. `None` if
    /// the person does not do it.
    pub(super) fn showing(&self, action: Action, random: &mut StdRng) -> Option<[usize; 2]> {
        let at = if action == Action::LookStraight {
            self.straight
        } else {
            let (_, heights) = self.done.iter().find(|(a, _)| *a == action)?;
            heights[random.random_range(0..heights.len())]
        };
        let before = if at == 0 { 1 } else { at - 1 };
        Some([before.min(self.frames.len() - 1), at])
    }
}

/// A photo of an answer before it is encoded, and the step it is sent for.
pub(super) type Shot = (usize, Image);

/// What is sent, and in answer to what.
pub(super) struct Response {
    pub asked: Vec<Action>,
    pub shots: Vec<Shot>,
    /// An answer that the server has seen before.
    pub before: Option<Vec<Shot>>,
}

/// The shots of a person who does what is asked.
pub(super) fn bona_fide(clip: &Clip, asked: &[Action], random: &mut StdRng) -> Option<Vec<Shot>> {
    Some(shots(clip, &clip.cut(asked, random)?))
}

/// Frames of a clip, each with its step, as shots.
pub(super) fn shots(clip: &Clip, cut: &[(usize, usize)]) -> Vec<Shot> {
    let shot = |(step, frame): &(usize, usize)| (*step, clip.frames[*frame].image.clone());
    cut.iter().map(shot).collect()
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
