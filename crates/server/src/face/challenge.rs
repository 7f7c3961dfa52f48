//! What a phone is asked to show, and how its answer is held to it.
//!
//! The nonce carries what was asked: `<random>.<liveness>.<actions>`. The database keeps only the nonce's
//! hash, so a phone that gives the nonce back gives back the very question, and nothing else has to be stored.

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
    platform::{
        engine::Ask,
        secret::{self, Secret},
    },
    site::Liveness,
};

/// What a phone must answer with its photos.
#[derive(Serialize, ToSchema)]
pub struct Challenge {
    /// To be given back with the answer, once.
    pub nonce: String,
    /// Seconds.
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
    /// A new challenge and the hash to keep of its nonce. Words in `without` name what the person cannot do.
    ///
    /// # Errors
    /// When a word names no action, or nothing that proves life would be left.
    pub(super) fn draw(
        liveness: Liveness,
        expires_in: u32,
        without: &[String],
    ) -> Result<(Self, Vec<u8>), FaceError> {
        let without: Vec<Action> = without
            .iter()
            .map(|word| Action::from_word(word).ok_or(FaceError::NoAlternative(word.clone())))
            .collect::<Result<_, _>>()?;
        let actions = match liveness {
            Liveness::Off | Liveness::Passive => vec![Action::LookStraight],
            Liveness::Active => liveness::draw(&mut rand::rng(), &without)
                .map_err(|_| FaceError::NoAlternative(String::new()))?,
        };
        let words: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        let random = Secret::generate("");
        let nonce = format!("{}.{}.{}", random.reveal(), word(liveness), words.join("-"));
        let steps = actions
            .iter()
            .enumerate()
            .map(|(i, action)| Step {
                id: step_id(i),
                action: action.as_str(),
            })
            .collect();
        let hash = secret::hash(&nonce);
        Ok((
            Self {
                nonce,
                expires_in,
                liveness,
                steps,
            },
            hash,
        ))
    }
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
    /// Milliseconds since the challenge was shown; rising where several things were asked.
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
            let (challenge, hash) = Challenge::draw(Liveness::Active, 120, &[]).unwrap();
            assert_eq!(secret::hash(&challenge.nonce), hash);
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
        let without = ["blink".to_owned(), "turn_left".to_owned()];
        let (challenge, _) = Challenge::draw(Liveness::Active, 120, &without).unwrap();
        assert!(
            challenge
                .steps
                .iter()
                .all(|s| !without.contains(&s.action.to_owned()))
        );
        for words in [&["blink", "open_mouth"][..], &["dance"]] {
            let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            let refused = Challenge::draw(Liveness::Active, 120, &words);
            assert!(matches!(refused, Err(FaceError::NoAlternative(_))));
        }
    }
}
