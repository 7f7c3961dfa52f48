//! Liveness on photos; `crates/lab` tries it on recordings.

use face::liveness::{Action, Doubt, draw};
use face::{Asked, FaceEngine, Frame, PhotoError, Purpose};

use crate::{ENGINE, demo};

/// Photos of one person for the steps of a challenge.
fn answer<'a>(photos: &'a [Vec<u8>], steps: usize) -> Vec<Frame<'a>> {
    photos
        .iter()
        .enumerate()
        .map(|(i, photo)| Frame {
            photo,
            step: i * steps / photos.len(),
            at_ms: i as i64 * 500,
        })
        .collect()
}

#[test]
fn still_photos_never_pass() {
    let [one, two] = ["person1/01.jpg", "person1/02.jpg"].map(demo);
    // The same pictures in other bytes, or they would be refused as sent twice.
    let again = |photo: &[u8]| [photo, &[0]].concat();
    let photos = [one.clone(), two.clone(), again(&one), again(&two)];
    for _ in 0..20 {
        let steps = draw(&mut rand::rng(), &[]).unwrap();
        let photos = &photos[..steps.len()];
        let scan = ENGINE
            .scan(
                &answer(photos, steps.len()),
                Asked::Actions(&steps),
                Purpose::Comparison,
            )
            .unwrap();
        let doubt = scan.liveness.unwrap_err();
        assert_ne!(doubt, Doubt::Repeated, "{steps:?}");
        assert_eq!(scan.templates.len(), 1);
    }
}

#[test]
fn repeated_and_unordered_frames_are_refused() {
    let one = demo("person1/01.jpg");
    let two = demo("person1/02.jpg");
    let steps = [Action::LookStraight, Action::TurnLeft, Action::Blink];
    let judge = |frames: &[Frame<'_>]| {
        ENGINE
            .scan(frames, Asked::Actions(&steps), Purpose::Comparison)
            .unwrap()
            .liveness
    };
    let frame = |photo, step, at_ms| Frame { photo, step, at_ms };
    let again = [frame(&one, 0, 0), frame(&two, 1, 500), frame(&one, 2, 900)];
    assert_eq!(judge(&again), Err(Doubt::Repeated));
    let back = [frame(&one, 0, 500), frame(&two, 1, 200)];
    assert_eq!(judge(&back), Err(Doubt::Order));
    let hasty = [frame(&one, 0, 0), frame(&two, 1, 20)];
    assert_eq!(judge(&hasty), Err(Doubt::Order));
    assert_eq!(Doubt::Flat.hint(), None);
    assert_eq!(Doubt::Missing(Action::Blink).hint(), Some("blink_again"));
}

#[test]
fn a_face_alone_shows_no_screen() {
    for person in 1..=6 {
        let photo = demo(&format!("person{person}/01.jpg"));
        let frame = Frame {
            photo: &photo,
            step: 0,
            at_ms: 0,
        };
        let scan = ENGINE
            .scan(&[frame], Asked::Presence, Purpose::Comparison)
            .unwrap();
        assert_eq!(scan.liveness, Ok(()), "person {person}");
        let same = ENGINE.template(&photo).unwrap();
        assert_eq!(scan.templates[0].distance(&same), Ok(0.0));
    }
    let frame = Frame {
        photo: b"not a photo",
        step: 0,
        at_ms: 0,
    };
    let refused = ENGINE.scan(&[frame], Asked::Presence, Purpose::Comparison);
    assert_eq!(refused.unwrap_err(), PhotoError::Unsupported);
}

#[test]
fn an_enrolment_keeps_more_and_is_judged_alike() {
    let [one, two] = ["person1/01.jpg", "person1/02.jpg"].map(demo);
    let again = |photo: &[u8]| [photo, &[0]].concat();
    let photos = [one.clone(), two.clone(), again(&one), again(&two)];
    let steps = [Action::LookStraight, Action::TurnLeft];
    let scan = |purpose| {
        let frames = answer(&photos, steps.len());
        ENGINE
            .scan(&frames, Asked::Actions(&steps), purpose)
            .unwrap()
    };
    let (sign_on, enrolment) = (scan(Purpose::Comparison), scan(Purpose::Enrolment));
    assert_eq!(sign_on.evidence, enrolment.evidence);
    assert_eq!(sign_on.liveness, enrolment.liveness);
    assert_eq!((sign_on.templates.len(), enrolment.templates.len()), (2, 2));
    assert_eq!((sign_on.more.len(), enrolment.more.len()), (0, 2));
}

#[test]
fn every_frame_is_looked_at_and_every_step_needs_one() {
    let one = demo("person1/01.jpg");
    let two = demo("person1/02.jpg");
    let steps = [Action::LookStraight, Action::TurnLeft, Action::Blink];
    let asked = Asked::Actions(&steps);
    let frame = |photo, step, at_ms| Frame { photo, step, at_ms };
    // Beside a good frame of its step as well.
    let broken = [
        frame(&one, 0, 0),
        frame(&two, 1, 500),
        frame(b"not a photo", 1, 600),
        frame(&two, 2, 900),
    ];
    let refused = ENGINE
        .scan(&broken, asked, Purpose::Comparison)
        .unwrap_err();
    assert_eq!(refused, PhotoError::Unsupported);
    let lacking = [frame(&one, 0, 0), frame(&two, 2, 900)];
    let scan = ENGINE.scan(&lacking, asked, Purpose::Comparison).unwrap();
    assert_eq!(scan.liveness, Err(Doubt::Missing(Action::TurnLeft)));
    for none in [&[][..], &[frame(&one, 1, 0)]] {
        let refused = ENGINE.scan(none, asked, Purpose::Comparison).unwrap_err();
        assert!(matches!(refused, PhotoError::Internal(_)), "{refused}");
    }
}
