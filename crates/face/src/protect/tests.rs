use proptest::prelude::*;

use super::*;
use crate::Thresholds;

fn pack() -> PackInfo {
    let thresholds = Thresholds {
        one_in_1000: 0.6,
        one_in_10000: 0.5,
        one_in_100000: 0.4,
    };
    PackInfo::new("test", "1", thresholds)
}

fn template(values: &[f32], unit: bool) -> Template {
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-3);
    let scale = if unit { length } else { 1.0 };
    let values = values.iter().map(|v| v / scale).collect();
    Template::new(&pack(), unit, values).unwrap()
}

fn protection(seed: u8, dims: usize) -> Protection {
    Protection::from_secret(&[seed; 32], dims).unwrap()
}

/// Standard normal vectors, the same each time.
fn vectors(seed: u8, dims: usize, count: usize) -> Vec<Vec<f32>> {
    let mut stream = Stream::new(&[seed; 32], *b"vectors test");
    (0..count)
        .map(|_| {
            let mut values = Vec::new();
            stream.normals(dims, &mut values);
            values.iter().map(|v| *v as f32).collect()
        })
        .collect()
}

/// Vectors as long and as far apart as faces of the default pack.
fn faces(seed: u8, count: usize) -> Vec<Vec<f32>> {
    let mut faces = vectors(seed, 128, count);
    for (index, face) in faces.iter_mut().enumerate() {
        // Lengths from 1.2 to 1.6, a person's own.
        let length = 1.2 + 0.4 * (index as f32 / count as f32);
        let now = face.iter().map(|v| v * v).sum::<f32>().sqrt();
        face.iter_mut().for_each(|v| *v *= length / now);
    }
    faces
}

proptest! {
    #[test]
    fn distances_are_kept(
        dims in 1_usize..200, seed: u8, unit: bool,
        numbers in proptest::collection::vec(-1.0_f32..1.0, 400),
    ) {
        let (a, b) = (template(&numbers[..dims], unit), template(&numbers[200..200 + dims], unit));
        let protection = protection(seed, dims);
        let before = a.distance(&b).unwrap();
        let after = protection.protect(&a).unwrap().distance(&protection.protect(&b).unwrap()).unwrap();
        prop_assert!((before - after).abs() < 1e-5, "{before} {after}");
    }

    #[test]
    fn fusing_is_the_same_before_and_after(
        seed: u8, unit: bool, numbers in proptest::collection::vec(-1.0_f32..1.0, 48),
    ) {
        let plain: Vec<_> = numbers.chunks(16).map(|part| template(part, unit)).collect();
        let protection = protection(seed, 16);
        let hidden: Vec<_> = plain.iter().map(|t| protection.protect(t).unwrap()).collect();
        let one = protection.protect(&Template::fuse(&plain).unwrap()).unwrap();
        let two = ProtectedTemplate::fuse(&hidden).unwrap();
        prop_assert!(one.distance(&two).unwrap() < 1e-4, "{:?}", one.distance(&two));
    }

    #[test]
    fn bytes_come_back_and_noise_is_refused(
        seed: u8, noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let hidden = protection(seed, 16).protect(&template(&[0.25; 16], false)).unwrap();
        let back = ProtectedTemplate::from_bytes(&hidden.to_bytes()).unwrap();
        prop_assert_eq!(back.distance(&hidden), Ok(0.0));
        prop_assert!(ProtectedTemplate::from_bytes(&noise).is_err());
        prop_assert!(Template::from_bytes(&hidden.to_bytes()).is_err());
    }
}

#[test]
fn a_renewed_template_is_the_one_that_was_protected_anew() {
    let face = template(&faces(1, 1)[0], false);
    let (old, new) = (protection(1, 128), protection(2, 128));
    let renewed = old.renew(&old.protect(&face).unwrap(), &new).unwrap();
    assert_eq!(renewed.under(), new.id());
    let distance = renewed.distance(&new.protect(&face).unwrap()).unwrap();
    assert!(distance < 1e-5, "{distance}");
    // What was revoked compares with nothing any more, and is no input to a renewal from elsewhere.
    let revoked = old.protect(&face).unwrap();
    assert_eq!(
        revoked.distance(&renewed),
        Err(TemplateError::OtherProtection)
    );
    assert!(matches!(
        new.renew(&revoked, &old),
        Err(TemplateError::OtherProtection)
    ));
    assert!(matches!(
        ProtectedTemplate::fuse(&[revoked, renewed]),
        Err(TemplateError::OtherProtection)
    ));
}

#[test]
fn a_hundred_renewals_do_not_wear_a_template_out() {
    for unit in [false, true] {
        let face = template(&faces(2, 1)[0], unit);
        let mut under = protection(0, 128);
        let mut hidden = under.protect(&face).unwrap();
        for seed in 1..=100 {
            let next = protection(seed, 128);
            hidden = under.renew(&hidden, &next).unwrap();
            under = next;
        }
        let distance = hidden.distance(&under.protect(&face).unwrap()).unwrap();
        assert!(distance < 1e-4, "{distance}");
    }
}

/// The chance that `ours` is below `others`: 0.5 means that it tells nothing.
fn below(ours: &[f32], others: &[f32]) -> f64 {
    let wins: f64 = ours
        .iter()
        .flat_map(|a| others.iter().map(move |b| a.partial_cmp(b)))
        .map(|order| match order {
            Some(std::cmp::Ordering::Less) => 1.0,
            Some(std::cmp::Ordering::Equal) => 0.5,
            _ => 0.0,
        })
        .sum();
    wins / (ours.len() * others.len()) as f64
}

/// An attacker who holds the templates of two sites and no secret tries the two things a rotation
/// alone would leave: distance, and length. Even the very same template gives neither away.
#[test]
fn two_sites_templates_cannot_be_linked() {
    let faces = faces(3, 200);
    let under = |seed: u8, face: &[f32]| {
        let hidden = protection(seed, 128)
            .protect(&template(face, false))
            .unwrap();
        hidden.inner.values().to_vec()
    };
    let far = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
            .sqrt()
    };
    let long = |a: &[f32]| far(a, &[0.0; 128]);
    let (mut same, mut other, mut same_length, mut other_length) = (vec![], vec![], vec![], vec![]);
    for (index, face) in faces.iter().enumerate() {
        // Every client has a secret of their own, on each site another.
        let (here, there) = (under(index as u8, face), under(255 - index as u8, face));
        let stranger = under((index as u8).wrapping_add(131), &faces[(index + 97) % 200]);
        same.push(far(&here, &there));
        other.push(far(&here, &stranger));
        same_length.push((long(&here) - long(&there)).abs());
        other_length.push((long(&here) - long(&stranger)).abs());
    }
    for (ours, others) in [(&same, &other), (&same_length, &other_length)] {
        let chance = below(ours, others);
        assert!((0.42..0.58).contains(&chance), "{chance}");
    }
}

#[test]
fn the_rotation_is_uniform_in_the_mean() {
    // The image of one fixed axis under many secrets: every coordinate has mean 0 and variance 1/n.
    let (dims, count) = (8, 4000);
    let axis = template(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], true);
    let (mut sum, mut square) = (vec![0.0_f64; dims], vec![0.0_f64; dims]);
    for index in 0..count {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&u64::to_le_bytes(index));
        let protection = Protection::from_secret(&secret, dims).unwrap();
        let image = protection.protect(&axis).unwrap();
        for (i, v) in image.inner.values().iter().enumerate() {
            sum[i] += f64::from(*v);
            square[i] += f64::from(*v).powi(2);
        }
    }
    for i in 0..dims {
        assert!(
            (sum[i] / count as f64).abs() < 0.03,
            "mean of {i}: {}",
            sum[i]
        );
        assert!(
            (square[i] / count as f64 - 0.125).abs() < 0.015,
            "{i}: {}",
            square[i]
        );
    }
}

#[test]
fn the_map_is_the_same_on_every_machine_and_in_every_version() {
    // Templates in databases depend on it: if this fails, existing faces would no longer match.
    let hidden = protection(7, 3)
        .protect(&template(&[1.0, 2.0, 3.0], false))
        .unwrap();
    let expected = [-1.931_618, -0.368_520_6, 3.367_08];
    for (value, expected) in hidden.inner.values().iter().zip(expected) {
        assert!(
            (value - expected).abs() < 1e-5,
            "{:?}",
            hidden.inner.values()
        );
    }
}

#[test]
fn sizes_are_checked() {
    assert!(Protection::from_secret(&[0; 32], 0).is_err());
    assert!(Protection::from_secret(&[0; 32], MAX_DIMS + 1).is_err());
    let three = template(&[1.0, 2.0, 3.0], false);
    assert!(matches!(
        protection(1, 4).protect(&three),
        Err(TemplateError::OtherPack)
    ));
}

#[test]
fn debug_shows_neither_secret_nor_values() {
    let protection = protection(1, 3);
    let hidden = protection
        .protect(&template(&[0.25, 0.5, 0.75], false))
        .unwrap();
    let text = format!("{protection:?} {hidden:?} {:?}", hidden.under());
    assert!(text.len() < 160 && !text.contains('['), "{text}");
    for value in hidden.inner.values() {
        assert!(!text.contains(&value.to_string()), "{text}");
    }
}
