//! The photos that a challenge is answered with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::PhoneError;

/// Most photos of an answer.
pub const MOST: usize = 12;
/// Most photos of a step of it.
pub const MOST_OF_A_STEP: usize = 3;

/// Photos of one person.
#[derive(Debug, Clone)]
pub enum Album {
    /// Spread over the steps in their order.
    InOrder(Vec<Vec<u8>>),
    /// By what the person does in them, such as `turn_left`: whatever is asked for is picked.
    ByAction(BTreeMap<String, Vec<Vec<u8>>>),
}

/// A photo, and the step that it shows.
pub(crate) type Picked<'a> = (Value, &'a [u8]);

impl Album {
    /// Photos for the steps of a challenge, in their order.
    ///
    /// # Errors
    /// When something is asked for that no photo shows.
    pub(crate) fn pick(&self, challenge: &Value) -> Result<Vec<Picked<'_>>, PhoneError> {
        let steps = challenge["steps"].as_array().map_or(&[][..], Vec::as_slice);
        match self {
            Self::InOrder(photos) => Ok(spread(steps, photos)),
            Self::ByAction(photos) => {
                let each = (MOST / steps.len().max(1)).min(MOST_OF_A_STEP);
                let shown = |action: &str| photos.get(action).map_or(&[][..], Vec::as_slice);
                let asked = steps.iter().map(action);
                let missing: Vec<_> = asked.filter(|asked| shown(asked).is_empty()).collect();
                if !missing.is_empty() {
                    return Err(PhoneError::NotShown {
                        missing: missing.into_iter().map(str::to_owned).collect(),
                        asked: steps.iter().map(|step| action(step).to_owned()).collect(),
                        expires_in: challenge["expires_in"].as_u64().unwrap_or_default(),
                    });
                }
                let picked = steps.iter().flat_map(|step| {
                    let shown = shown(action(step)).iter().take(each);
                    shown.map(|photo| (step["id"].clone(), photo.as_slice()))
                });
                Ok(picked.collect())
            }
        }
    }
}

fn action(step: &Value) -> &str {
    step["action"].as_str().unwrap_or_default()
}

fn spread<'a>(steps: &[Value], photos: &'a [Vec<u8>]) -> Vec<Picked<'a>> {
    let count = photos.len().max(1);
    let step = |index: usize| {
        let step = steps.get(index * steps.len().max(1) / count);
        step.map_or(Value::Null, |step| step["id"].clone())
    };
    let photos = photos.iter().enumerate();
    photos
        .map(|(index, photo)| (step(index), photo.as_slice()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn challenge() -> Value {
        json!({ "expires_in": 90, "steps": [
            { "id": "s1", "action": "look_straight" },
            { "id": "s2", "action": "turn_left" },
            { "id": "s3", "action": "blink" },
        ] })
    }

    fn steps_of(album: &Album) -> Vec<(String, u8)> {
        let picked = album.pick(&challenge()).unwrap();
        let told = |(step, photo): Picked| (step.as_str().unwrap().to_owned(), photo[0]);
        picked.into_iter().map(told).collect()
    }

    #[test]
    fn photos_in_order_are_spread_over_the_steps() {
        let album = Album::InOrder((0..4).map(|n| vec![n]).collect());
        let steps: Vec<_> = steps_of(&album).into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, ["s1", "s1", "s2", "s3"]);
        assert!(
            Album::InOrder(Vec::new())
                .pick(&challenge())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn of_what_is_asked_for_photos_are_picked_and_no_more_than_may_be_sent() {
        let shown = |first: u8, count: u8| (first..first + count).map(|n| vec![n]).collect();
        let mut photos = BTreeMap::from([
            ("turn_left".to_owned(), shown(20, 9)),
            ("blink".to_owned(), shown(30, 1)),
            ("open_mouth".to_owned(), shown(40, 1)),
            ("look_straight".to_owned(), shown(10, 1)),
        ]);
        let told: Vec<_> = steps_of(&Album::ByAction(photos.clone()));
        let told: Vec<_> = told
            .iter()
            .map(|(step, photo)| (step.as_str(), *photo))
            .collect();
        assert_eq!(
            told,
            [("s1", 10), ("s2", 20), ("s2", 21), ("s2", 22), ("s3", 30)]
        );
        photos.remove("blink");
        photos.insert("turn_left".to_owned(), Vec::new());
        let missing = Album::ByAction(photos).pick(&challenge()).unwrap_err();
        for words in [
            "shows turn_left and blink,",
            "look_straight, turn_left, blink",
            "within 90 seconds",
        ] {
            assert!(missing.to_string().contains(words), "{missing}");
        }
    }
}
