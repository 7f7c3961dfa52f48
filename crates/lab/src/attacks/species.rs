//! Species of attack instruments (ISO/IEC 30107-3): what an attacker makes of a photo or a recording.

use face::Image;
use face::liveness::{Action, draw};
use rand::{RngExt as _, rngs::StdRng};

use super::bona_fide::{Clip, Response, Shot, bona_fide};
use super::replayed::{
    other_head, recorded, replay, slightly_changed, swapped_middle, wrong_order,
};
use super::simulated_camera::{HeldPhoto, Screen, held, noisy, on_screen};
use super::{mask, mesh_warp};

/// How an attacker tries to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Species {
    /// One photo for every step.
    StillPhoto,
    /// A photo moved as each step asks: turned, tilted, brought nearer.
    MovedPhoto,
    /// The same with the photo bent.
    BentPhoto,
    /// Two photos, one of them of the turned head, each where it helps.
    TwoPhotos,
    /// Two photos, with eyes open and closed, moved as each step asks.
    OpenAndClosed,
    /// A photo warped by a mesh of the face: turned, blinking, its mouth opened.
    WarpedPhoto,
    /// A cut-out photo worn as a mask, with someone's living eyes in its holes.
    Mask,
    /// A recording of the right actions in the wrong order.
    WrongOrder,
    /// An answer to an earlier challenge.
    Replay,
    /// An answer to the very same challenge, cut, encoded anew and made noisy.
    ChangedReplay,
    /// A recording of the right actions in the right order, on a screen.
    Screen,
    /// The person, but with another head in one step.
    OtherHead,
    /// The person at the beginning and at the end, and someone else between.
    SwappedMiddle,
}

impl Species {
    /// Every species there is.
    pub const ALL: [Self; 13] = [
        Self::StillPhoto,
        Self::MovedPhoto,
        Self::BentPhoto,
        Self::TwoPhotos,
        Self::OpenAndClosed,
        Self::WarpedPhoto,
        Self::Mask,
        Self::WrongOrder,
        Self::Replay,
        Self::ChangedReplay,
        Self::Screen,
        Self::OtherHead,
        Self::SwappedMiddle,
    ];

    /// Whether someone beside the victim is in the pictures.
    pub(super) const fn takes_two(self) -> bool {
        matches!(self, Self::Mask | Self::OtherHead | Self::SwappedMiddle)
    }

    /// What it is, for a table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::StillPhoto => "still photo",
            Self::MovedPhoto => "photo moved, turned, brought nearer",
            Self::BentPhoto => "photo bent and turned",
            Self::TwoPhotos => "two photos of different pose",
            Self::OpenAndClosed => "two photos, eyes open and closed",
            Self::WarpedPhoto => "photo warped by a face mesh",
            Self::Mask => "photo as a mask with eye holes",
            Self::WrongOrder => "right recording, wrong order",
            Self::Replay => "replay of an earlier answer",
            Self::ChangedReplay => "replay cut, noisy, encoded anew",
            Self::Screen => "right recording on a screen",
            Self::OtherHead => "another head in one step",
            Self::SwappedMiddle => "another head in the middle",
        }
    }
}

/// What an attacker has: clips of the victim, and of someone else.
pub(super) struct Material<'a> {
    pub victim: &'a Clip,
    pub other: Option<&'a Clip>,
}

/// The shots of one attack on a challenge, and the challenge; `None` where the material does not serve.
pub(super) fn attack(
    species: Species,
    material: &Material<'_>,
    random: &mut StdRng,
) -> Option<Response> {
    let victim = material.victim;
    let asked = draw(random, &[]).ok()?;
    if let Some(shots) = of_photos(species, material, &asked, random) {
        let before = None;
        return Some(Response {
            asked,
            shots,
            before,
        });
    }
    let (asked, shots) = match species {
        Species::WrongOrder => wrong_order(victim, random)?,
        Species::Replay => return replay(victim, asked, random),
        Species::Screen => {
            let asked = recorded(victim, random)?;
            let screen = Screen::any(random);
            let shots = bona_fide(victim, &asked, random)?
                .into_iter()
                .map(|(step, image)| (step, on_screen(&image, screen)))
                .collect();
            (asked, shots)
        }
        Species::OtherHead => other_head(victim, material.other?, random)?,
        Species::SwappedMiddle => swapped_middle(victim, material.other?, random)?,
        Species::ChangedReplay => return slightly_changed(victim, random),
        _ => return None,
    };
    let before = None;
    Some(Response {
        asked,
        shots,
        before,
    })
}

/// The shots of an attack that is made of single photos.
fn of_photos(
    species: Species,
    material: &Material<'_>,
    asked: &[Action],
    random: &mut StdRng,
) -> Option<Vec<Shot>> {
    let victim = material.victim;
    let front = &victim.frames[victim.straight];
    let photo = &front.image;
    let photo_of = |action, random: &mut StdRng| {
        let (_, heights) = victim.done.iter().find(|(a, _)| *a == action)?;
        let frame = heights[random.random_range(0..heights.len())];
        Some(victim.frames[frame].image.clone())
    };
    match species {
        Species::StillPhoto => steps(asked, |_| {
            Some(held(photo, gesture(Action::LookStraight, random)))
        }),
        Species::MovedPhoto => steps(asked, |action| Some(held(photo, gesture(action, random)))),
        Species::BentPhoto => {
            let bend = random.random_range(0.6..2.0);
            steps(asked, |action| {
                Some(held(photo, bent(action, bend, random)))
            })
        }
        Species::TwoPhotos => {
            if !victim.done.iter().any(|(action, _)| action.turns()) {
                return None;
            }
            steps(asked, |action| {
                let turned = action.turns().then(|| photo_of(action, random)).flatten();
                turned.or_else(|| Some(held(photo, gesture(action, random))))
            })
        }
        Species::OpenAndClosed => {
            photo_of(Action::Blink, random)?;
            steps(asked, |action| {
                if action == Action::Blink {
                    let closed = photo_of(action, random)?;
                    return Some(held(&closed, gesture(Action::LookStraight, random)));
                }
                Some(held(photo, gesture(action, random)))
            })
        }
        Species::WarpedPhoto => steps(asked, |action| {
            let warped = mesh_warp::warped(photo, &front.points, action, random);
            Some(noisy(&warped, random.random_range(0.0..5.0), 1.0, random))
        }),
        Species::Mask => {
            let wearer = material.other?;
            let bend = random.random_range(0.6..2.0);
            steps(asked, |action| {
                let mask = mask::with_eyes(front, wearer, action, random);
                Some(held(&mask, bent(action, bend, random)))
            })
        }
        _ => None,
    }
}

/// How a bent photo is held; flat for the look straight ahead.
fn bent(action: Action, bend: f32, random: &mut StdRng) -> HeldPhoto {
    let bend = if action == Action::LookStraight {
        0.0
    } else {
        bend
    };
    HeldPhoto {
        bend,
        ..gesture(action, random)
    }
}

/// Two shots a step, made by `show` from the action.
fn steps(asked: &[Action], mut show: impl FnMut(Action) -> Option<Image>) -> Option<Vec<Shot>> {
    let mut shots = Vec::new();
    for (step, action) in asked.iter().enumerate() {
        for _ in 0..2 {
            shots.push((step, show(*action)?));
        }
    }
    Some(shots)
}

/// How a photo is held to seem to do what is asked.
fn gesture(action: Action, random: &mut StdRng) -> HeldPhoto {
    let wobble = |random: &mut StdRng| random.random_range(-3.0..3.0);
    let mut how = HeldPhoto {
        yaw: wobble(random),
        pitch: wobble(random),
        roll: wobble(random),
        zoom: random.random_range(0.95..1.05),
        bend: 0.0,
    };
    match action {
        Action::LookStraight => {}
        // Either way may fool the eye: the far side shrinks, or the near one grows.
        Action::TurnLeft => how.yaw = -random.random_range(20.0..52.0_f32),
        Action::TurnRight => how.yaw = random.random_range(20.0..52.0_f32),
        Action::LookUp => how.pitch = random.random_range(20.0..45.0) * sign(random),
        Action::Blink | Action::OpenMouth => {
            how.pitch = random.random_range(30.0..50.0) * sign(random);
        }
        Action::ComeCloser => how.zoom = random.random_range(1.3..1.6),
    }
    how
}

fn sign(random: &mut StdRng) -> f32 {
    if random.random_range(0..2) == 0 {
        1.0
    } else {
        -1.0
    }
}
