//! Presentation attacks, by species (ISO/IEC 30107-3): what an attacker makes of a photo or a recording.

use face::Image;
use face::liveness::{Action, draw};
use rand::{RngExt as _, rngs::StdRng};

use super::bona_fide::{Clip, Shot, bona_fide};
use super::simulated_camera::{HeldPhoto, Screen, held, on_screen};

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
    /// A recording of the right actions in the wrong order.
    WrongOrder,
    /// An answer to an earlier challenge.
    Replay,
    /// A recording of the right actions in the right order, on a screen.
    Screen,
    /// The person, but with another head in one step.
    OtherHead,
}

impl Species {
    /// Every species there is.
    pub const ALL: [Self; 8] = [
        Self::StillPhoto,
        Self::MovedPhoto,
        Self::BentPhoto,
        Self::TwoPhotos,
        Self::WrongOrder,
        Self::Replay,
        Self::Screen,
        Self::OtherHead,
    ];

    /// What it is, for a table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::StillPhoto => "still photo",
            Self::MovedPhoto => "photo moved, turned, brought nearer",
            Self::BentPhoto => "photo bent and turned",
            Self::TwoPhotos => "two photos of different pose",
            Self::WrongOrder => "right recording, wrong order",
            Self::Replay => "replay of an earlier answer",
            Self::Screen => "right recording on a screen",
            Self::OtherHead => "another head in one step",
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
) -> Option<(Vec<Action>, Vec<Shot>)> {
    let victim = material.victim;
    let photo = &victim.frames[victim.straight].image;
    let any = draw(random, &[]).ok()?;
    match species {
        Species::StillPhoto => {
            let shots = steps(&any, |_| {
                Some(held(photo, gesture(Action::LookStraight, random)))
            })?;
            Some((any, shots))
        }
        Species::MovedPhoto | Species::BentPhoto => {
            let bend = match species {
                Species::BentPhoto => random.random_range(0.6..2.0),
                _ => 0.0,
            };
            let shots = steps(&any, |action| {
                let bend = if action == Action::LookStraight {
                    0.0
                } else {
                    bend
                };
                Some(held(
                    photo,
                    HeldPhoto {
                        bend,
                        ..gesture(action, random)
                    },
                ))
            })?;
            Some((any, shots))
        }
        Species::TwoPhotos => {
            let turned = two_photos(victim)?;
            let shots = steps(&any, |action| {
                Some(match turned.iter().find(|(a, _)| *a == action) {
                    Some((_, frame)) => victim.frames[*frame].image.clone(),
                    None => held(photo, gesture(action, random)),
                })
            })?;
            Some((any, shots))
        }
        Species::WrongOrder => {
            let asked = recorded(victim, random)?;
            let mut wrong = asked[1..].to_vec();
            wrong.rotate_left(1);
            let shots = bona_fide(
                victim,
                &[&[Action::LookStraight], wrong.as_slice()].concat(),
            )?;
            (wrong != asked[1..]).then_some((asked, shots))
        }
        Species::Replay => replay(victim, any, random),
        Species::Screen => {
            let asked = recorded(victim, random)?;
            let screen = Screen::any(random);
            let shots = bona_fide(victim, &asked)?
                .into_iter()
                .map(|(step, image)| (step, on_screen(&image, screen)))
                .collect();
            Some((asked, shots))
        }
        Species::OtherHead => other_head(victim, material.other?, random),
    }
}

/// The answer to an earlier challenge, sent to another one.
fn replay(
    victim: &Clip,
    any: Vec<Action>,
    random: &mut StdRng,
) -> Option<(Vec<Action>, Vec<Shot>)> {
    let earlier = recorded(victim, random)?;
    let mut shots = bona_fide(victim, &earlier)?;
    // Steps are named as the new challenge wants them; what is left over goes to the last.
    for (step, _) in &mut shots {
        *step = (*step).min(any.len() - 1);
    }
    let complete = shots.iter().map(|(step, _)| *step).max() == Some(any.len() - 1);
    if !complete {
        let last = shots.last()?.1.clone();
        shots.push((any.len() - 1, last));
    }
    Some((any, shots))
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

/// The victim's turns that there are photos of.
fn two_photos(victim: &Clip) -> Option<Vec<(Action, usize)>> {
    let turned: Vec<_> = victim
        .done
        .iter()
        .copied()
        .filter(|(a, _)| a.turns())
        .collect();
    (!turned.is_empty()).then_some(turned)
}

/// A challenge that a recording of the victim answers.
fn recorded(victim: &Clip, random: &mut StdRng) -> Option<Vec<Action>> {
    let mut all = victim.challenges();
    all.retain(|order| order.len() > 1);
    if all.is_empty() {
        return None;
    }
    let order = all.swap_remove(random.random_range(0..all.len()));
    Some([&[Action::LookStraight], order.as_slice()].concat())
}

/// One step done by someone else, as well as they do it.
fn other_head(
    victim: &Clip,
    other: &Clip,
    random: &mut StdRng,
) -> Option<(Vec<Action>, Vec<Shot>)> {
    let asked = recorded(victim, random)?;
    let mut shots = bona_fide(victim, &asked)?;
    let able: Vec<usize> = (1..asked.len())
        .filter(|step| other.showing(asked[*step]).is_some())
        .collect();
    if able.is_empty() {
        return None;
    }
    let step = able[random.random_range(0..able.len())];
    let theirs = other.showing(asked[step])?;
    let mut theirs = theirs.iter();
    for (of, image) in &mut shots {
        if *of == step {
            *image = other.frames[*theirs.next()?].image.clone();
        }
    }
    Some((asked, shots))
}
