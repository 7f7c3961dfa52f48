//! What a phone is asked to show, and how its answer is held to it.
//!
//! The nonce carries what was asked: `<random>.<liveness>.<actions>`. A phone that gives it back gives back
//! the very question; the database keeps its hash, and itself sealed, so that the same can be given again.

use std::collections::HashSet;

use ::face::{
    Asked,
    liveness::{self, Action},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::FaceError;
use crate::{
    platform::{engine::Ask, secret::Secret},
    site::Liveness,
};

/// What a phone must answer with its photos.
#[derive(Serialize, ToSchema)]
pub struct Challenge {
    /// To be given back with the answer, once.
    pub nonce: String,
    /// Seconds within which the answer must arrive.
    #[schema(example = 120)]
    pub expires_in: u32,
    /// How strictly a living person is asked for.
    pub liveness: Liveness,
    /// What the person is to do, in this order.
    pub steps: Vec<Step>,
}

/// One thing for the person to do.
#[derive(Serialize, ToSchema)]
pub struct Step {
    /// Named in the frames that show it.
    #[schema(example = "s1")]
    pub id: String,
    /// `look_straight`, `turn_left`, `turn_right`, `look_up`, `blink`, `open_mouth` or `come_closer`; left
    /// and right are the person's own.
    #[schema(example = "look_straight")]
    pub action: &'static str,
}

impl Challenge {
    /// A new challenge that asks for none of `without`.
    ///
    /// # Errors
    /// When nothing that proves life would be left.
    pub(super) fn draw(
        liveness: Liveness,
        expires_in: u32,
        without: &[Action],
    ) -> Result<Self, FaceError> {
        let actions = match liveness {
            Liveness::Off | Liveness::Passive => vec![Action::LookStraight],
            Liveness::Active => liveness::draw(&mut rand::rng(), without)
                .map_err(|_| FaceError::NoAlternative(String::new()))?,
        };
        let words: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        let random = Secret::generate("");
        let nonce = format!("{}.{}.{}", random.reveal(), word(liveness), words.join("-"));
        Self::given(nonce, expires_in)
    }

    /// The challenge that a nonce of [`draw`](Self::draw) stands for.
    ///
    /// # Errors
    /// [`FaceError::Challenge`] for a nonce of another make.
    pub(super) fn given(nonce: String, expires_in: u32) -> Result<Self, FaceError> {
        let question = Question::of(&nonce)?;
        let actions = question.actions.iter().enumerate();
        Ok(Self {
            nonce,
            expires_in,
            liveness: question.liveness,
            steps: actions
                .map(|(i, action)| Step {
                    id: step_id(i),
                    action: action.as_str(),
                })
                .collect(),
        })
    }

    /// What was asked, in words; not the nonce.
    #[must_use]
    pub fn asked(&self) -> String {
        let actions: Vec<&str> = self.steps.iter().map(|step| step.action).collect();
        format!("{}: {}", word(self.liveness), actions.join(", "))
    }
}

/// The actions that these words name, if a challenge is left without them.
///
/// # Errors
/// [`FaceError::NoAlternative`] otherwise.
pub fn check_without(words: &[String]) -> Result<Vec<Action>, FaceError> {
    let without: Vec<Action> = words
        .iter()
        .map(|word| Action::from_word(word).ok_or(FaceError::NoAlternative(word.clone())))
        .collect::<Result<_, _>>()?;
    liveness::draw(&mut rand::rng(), &without)
        .map_err(|_| FaceError::NoAlternative(String::new()))?;
    Ok(without)
}

const fn word(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Off => "off",
        Liveness::Passive => "passive",
        Liveness::Active => "active",
    }
}

fn step_id(number: usize) -> String {
    format!("s{}", number + 1)
}

/// One photo of an answer: in which part it is, and what it shows.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Frame {
    /// Name of the multipart part.
    #[schema(example = "frame0")]
    pub part: String,
    /// The step it shows; may be left out where only one thing was asked.
    #[schema(example = "s1")]
    #[serde(default)]
    pub step: String,
    /// Milliseconds since the challenge was given, of which no more may have passed; rising where several
    /// things were asked.
    #[serde(default)]
    pub t_ms: i64,
}

/// Most photos of one answer.
pub(super) const MOST_FRAMES: usize = 12;

/// A photo of an answer.
pub struct Photo {
    /// The bytes of the file.
    pub bytes: Bytes,
    /// What the phone says of it.
    pub frame: Frame,
}

/// What was asked, read back from a nonce whose hash has been found in force.
pub(super) struct Question {
    liveness: Liveness,
    actions: Vec<Action>,
}

impl Question {
    /// # Errors
    /// [`FaceError::Challenge`] for a nonce of another make.
    pub(super) fn of(nonce: &str) -> Result<Self, FaceError> {
        Self::parse(nonce).ok_or(FaceError::Challenge)
    }

    fn parse(nonce: &str) -> Option<Self> {
        let (_, question) = nonce.split_once('.')?;
        let (level, actions) = question.split_once('.')?;
        let liveness = [Liveness::Off, Liveness::Passive, Liveness::Active]
            .into_iter()
            .find(|liveness| word(*liveness) == level)?;
        let actions = actions
            .split('-')
            .map(Action::from_word)
            .collect::<Option<_>>()?;
        Some(Self { liveness, actions })
    }

    /// Whether life is to be proved at all.
    pub(super) fn is_of_life(&self) -> bool {
        self.liveness != Liveness::Off
    }

    /// Holds what the phone says of the photos' times to the time that has passed, in milliseconds.
    ///
    /// # Errors
    /// [`FaceError::Answer`] for a photo from before the challenge or from the future.
    pub(super) fn check_times(&self, photos: &[Photo], passed_ms: i64) -> Result<(), FaceError> {
        let outside = |photo: &&Photo| !(0..=passed_ms).contains(&photo.frame.t_ms);
        match photos.iter().find(outside).filter(|_| self.is_of_life()) {
            Some(photo) => Err(FaceError::Answer(format!(
                "{}: t_ms must be between 0 and the milliseconds since the challenge was given",
                photo.frame.part
            ))),
            None => Ok(()),
        }
    }

    /// The number of the step that each photo shows.
    ///
    /// # Errors
    /// [`FaceError::Answer`] where a photo names no step that was asked, or a step has no photo.
    pub(super) fn steps(&self, photos: &[Photo]) -> Result<Vec<usize>, FaceError> {
        if self.liveness != Liveness::Active {
            return Ok(vec![0; photos.len()]);
        }
        let numbers: Vec<usize> = photos
            .iter()
            .map(|photo| {
                (0..self.actions.len())
                    .find(|i| step_id(*i) == photo.frame.step)
                    .ok_or_else(|| {
                        FaceError::Answer(format!(
                            "{} must name one of the challenge's steps, s1 to s{}",
                            photo.frame.part,
                            self.actions.len()
                        ))
                    })
            })
            .collect::<Result<_, _>>()?;
        let shown: HashSet<usize> = numbers.iter().copied().collect();
        match (0..self.actions.len()).find(|i| !shown.contains(i)) {
            Some(missing) => Err(FaceError::Answer(format!(
                "no frame shows the step {}",
                step_id(missing)
            ))),
            None => Ok(numbers),
        }
    }
}

impl Ask for Question {
    fn asked(&self) -> Asked<'_> {
        match self.liveness {
            Liveness::Off => Asked::Nothing,
            Liveness::Passive => Asked::Presence,
            Liveness::Active => Asked::Actions(&self.actions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(step: &str) -> Photo {
        let frame = Frame {
            part: "frame0".into(),
            step: step.into(),
            t_ms: 0,
        };
        Photo {
            bytes: Bytes::new(),
            frame,
        }
    }

    #[test]
    fn the_nonce_brings_the_question_back() {
        for _ in 0..100 {
            let challenge = Challenge::draw(Liveness::Active, 120, &[]).unwrap();
            let question = Question::of(&challenge.nonce).unwrap();
            let words: Vec<&str> = question.actions.iter().map(|a| a.as_str()).collect();
            let asked: Vec<&str> = challenge.steps.iter().map(|s| s.action).collect();
            assert_eq!(words, asked);
            assert!(matches!(question.asked(), Asked::Actions(actions) if actions.len() >= 3));
        }
    }

    #[test]
    fn what_is_no_nonce_of_ours_asks_nothing() {
        for text in [
            "",
            "abc",
            "a.b",
            "a.active.",
            "a.active.dance",
            "a.maybe.blink",
        ] {
            assert!(Question::of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_step_needs_a_photo_and_every_photo_a_step() {
        let question = Question::of("x.active.look_straight-turn_left-blink").unwrap();
        let steps = |names: &[&str]| {
            let photos: Vec<Photo> = names.iter().map(|name| photo(name)).collect();
            question.steps(&photos)
        };
        assert_eq!(steps(&["s1", "s2", "s2", "s3"]).unwrap(), [0, 1, 1, 2]);
        assert!(matches!(steps(&["s1", "s2"]), Err(FaceError::Answer(_))));
        assert!(matches!(
            steps(&["s1", "s2", "s3", "s4"]),
            Err(FaceError::Answer(_))
        ));
        assert!(matches!(
            steps(&["s1", "s2", ""]),
            Err(FaceError::Answer(_))
        ));
    }

    #[test]
    fn who_cannot_do_a_thing_is_not_asked_for_it() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let without = check_without(&words(&["blink", "turn_left"])).unwrap();
        let challenge = Challenge::draw(Liveness::Active, 120, &without).unwrap();
        assert!(!challenge.asked().contains("blink") && !challenge.asked().contains("turn_left"));
        for wrong in [&["blink", "open_mouth"][..], &["dance"]] {
            let refused = check_without(&words(wrong));
            assert!(matches!(refused, Err(FaceError::NoAlternative(_))));
        }
    }

    #[test]
    fn photos_come_from_the_time_since_the_challenge() {
        let check = |question: &str, t_ms, passed| {
            let mut photo = photo("s1");
            photo.frame.t_ms = t_ms;
            Question::of(question)
                .unwrap()
                .check_times(&[photo], passed)
                .is_ok()
        };
        let passive = "x.passive.look_straight";
        assert!(check(passive, 0, 0) && check(passive, 500, 500));
        assert!(!check(passive, 501, 500) && !check(passive, -1, 500));
        assert!(check("x.off.look_straight", 501, 500));
    }
}
