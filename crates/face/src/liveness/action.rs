//! How a challenge is drawn.

use itertools::Itertools as _;
use rand::{Rng, RngExt as _};
use sight::Action;

/// A person said they cannot do so much that no challenge is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("leaves no challenge: a turn of the head, and a blink or an open mouth, must remain")]
pub struct NoAlternative;

/// Draws a challenge: first a look straight ahead, then two or three actions, each once.
///
/// Among them is always a turn, which a flat picture cannot follow, and a movement of eyes or mouth, which
/// nothing stiff can. All allowed orders are equally likely: 102 of them, so that an answer recorded for
/// one challenge fits the next in one case of a hundred.
///
/// What is in `without` is not asked for, so that who cannot do a thing gets another.
///
/// # Errors
/// [`NoAlternative`] if `without` leaves no turn or no movement.
pub fn draw(random: &mut impl Rng, without: &[Action]) -> Result<Vec<Action>, NoAlternative> {
    let orders = orders(without);
    if orders.is_empty() {
        return Err(NoAlternative);
    }
    let mut steps = vec![Action::LookStraight];
    steps.extend(&orders[random.random_range(0..orders.len())]);
    Ok(steps)
}

/// Every allowed order of two or three actions.
pub fn orders(without: &[Action]) -> Vec<Vec<Action>> {
    let may: Vec<Action> = Action::ASKED
        .into_iter()
        .filter(|action| !without.contains(action))
        .collect();
    (2..=3)
        .flat_map(|count| may.iter().copied().permutations(count))
        .filter(|order| proves(order))
        .collect()
}

/// Whether an order proves depth and movement.
fn proves(order: &[Action]) -> bool {
    order.iter().any(|a| a.turns()) && order.iter().any(|a| a.moves())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_challenge_proves_depth_and_movement() {
        let orders = orders(&[]);
        assert_eq!(orders.len(), 102);
        for order in &orders {
            assert!(proves(order) && (2..=3).contains(&order.len()));
            for (i, action) in order.iter().enumerate() {
                assert!(!order[..i].contains(action));
            }
        }
    }

    #[test]
    fn drawing_reaches_every_order_and_begins_straight() {
        let mut random = rand::rng();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..5000 {
            let steps = draw(&mut random, &[]).unwrap();
            assert_eq!(steps[0], Action::LookStraight);
            seen.insert(steps);
        }
        assert_eq!(seen.len(), 102);
    }

    #[test]
    fn who_cannot_do_a_thing_gets_another_and_never_an_easier_proof() {
        for one in Action::ASKED {
            for two in Action::ASKED {
                if let Ok(steps) = draw(&mut rand::rng(), &[one, two]) {
                    assert!(!steps.contains(&one) && !steps.contains(&two));
                    assert!(proves(&steps));
                } else {
                    assert!(one.moves() && two.moves() && one != two);
                }
            }
        }
        let turns = [Action::TurnLeft, Action::TurnRight, Action::LookUp];
        assert_eq!(draw(&mut rand::rng(), &turns), Err(NoAlternative));
    }
}
