//! Attacks made of recordings: sent again, put in another order, cut together.

use face::Image;
use face::liveness::Action;
use rand::{RngExt as _, rngs::StdRng, seq::SliceRandom as _};

use super::bona_fide::{Clip, Response, Shot, bona_fide, shots};
use super::simulated_camera::noisy;

/// How often a cut is drawn that would be an attack.
const TRIES: usize = 20;

type Answer = (Vec<Action>, Vec<Shot>);

/// A challenge that a recording of the victim answers.
pub(super) fn recorded(victim: &Clip, random: &mut StdRng) -> Option<Vec<Action>> {
    let mut all = victim.challenges();
    if all.is_empty() {
        return None;
    }
    let order = all.swap_remove(random.random_range(0..all.len()));
    Some([&[Action::LookStraight], order.as_slice()].concat())
}

/// All the right actions, none in its step. People who make faces do several things at once: where each step happens to
/// show what it asks for, the answer is an honest one and another is cut.
pub(super) fn wrong_order(victim: &Clip, random: &mut StdRng) -> Option<Answer> {
    (0..TRIES).find_map(|_| {
        let asked = recorded(victim, random)?;
        let mut wrong = asked.clone();
        wrong[1..].rotate_left(1);
        let cut = victim.cut(&wrong, random)?;
        let shown = |step: usize| {
            let mut own = cut.iter().filter(|(of, _)| *of == step);
            own.any(|(_, frame)| victim.shows(asked[step], *frame))
        };
        let is_right = (1..asked.len()).all(shown);
        (!is_right).then(|| (asked, shots(victim, &cut)))
    })
}

/// The answer to an earlier challenge, sent to another one: the server has seen its frames.
pub(super) fn replay(victim: &Clip, any: Vec<Action>, random: &mut StdRng) -> Option<Response> {
    let earlier = recorded(victim, random)?;
    if earlier == any {
        return None;
    }
    let before = bona_fide(victim, &earlier, random)?;
    let mut shots = before.clone();
    // Steps are named as the new challenge wants them; what is left over goes to the last.
    for (step, _) in &mut shots {
        *step = (*step).min(any.len() - 1);
    }
    let complete = shots.iter().map(|(step, _)| *step).max() == Some(any.len() - 1);
    if !complete {
        let last = shots.last()?.1.clone();
        shots.push((any.len() - 1, last));
    }
    Some(Response {
        asked: any,
        shots,
        before: Some(before),
    })
}

/// An answer that was seen before, to the same challenge, with every picture a little changed.
pub(super) fn slightly_changed(victim: &Clip, random: &mut StdRng) -> Option<Response> {
    let asked = recorded(victim, random)?;
    let before = bona_fide(victim, &asked, random)?;
    let cut = [0; 4].map(|_: i32| random.random_range(0.0..0.05_f32));
    let strength = random.random_range(0.0..6.0);
    let light = random.random_range(0.9..1.1);
    let shots = before
        .iter()
        .map(|(step, image)| (*step, noisy(&cropped(image, cut), strength, light, random)))
        .collect();
    let before = Some(before);
    Some(Response {
        asked,
        shots,
        before,
    })
}

/// A picture without these parts of its width and height: left, right, top, bottom.
fn cropped(image: &Image, [left, right, top, bottom]: [f32; 4]) -> Image {
    let (w, h) = (image.width() as f32, image.height() as f32);
    let size = |length: f32, part: f32| (length * (1.0 - part)) as usize;
    Image::painted(size(w, left + right), size(h, top + bottom), |x, y| {
        image.sample(x as f32 + left * w, y as f32 + top * h)
    })
}

/// One step done by someone else, as well as they do it.
pub(super) fn other_head(victim: &Clip, other: &Clip, random: &mut StdRng) -> Option<Answer> {
    let asked = recorded(victim, random)?;
    let mut shots = bona_fide(victim, &asked, random)?;
    let mut able: Vec<usize> = (1..asked.len()).collect();
    able.shuffle(random);
    let theirs = able
        .into_iter()
        .find_map(|step| Some((step, other.showing(asked[step], random)?)));
    let (step, theirs) = theirs?;
    let mut theirs = theirs.iter();
    for (of, image) in &mut shots {
        if *of == step {
            *image = other.frames[*theirs.next()?].image.clone();
        }
    }
    Some((asked, shots))
}

/// The first and the last picture are the victim's; between, someone else does what they can of what is asked,
/// and the victim the rest.
pub(super) fn swapped_middle(victim: &Clip, other: &Clip, random: &mut StdRng) -> Option<Answer> {
    let asked = recorded(victim, random)?;
    let mut shots = bona_fide(victim, &asked, random)?;
    let mut swapped = 0;
    for at in 1..shots.len() - 1 {
        let step = shots[at].0;
        let Some(theirs) = other.showing(asked[step], random) else {
            continue;
        };
        // Of each step the second picture shows the action at its height.
        let second = shots[at - 1].0 == step;
        shots[at].1 = other.frames[theirs[usize::from(second)]].image.clone();
        swapped += usize::from(step > 0);
    }
    (swapped > 0).then_some((asked, shots))
}
