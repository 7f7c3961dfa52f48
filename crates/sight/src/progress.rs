//! How far an action was done.

use super::action::Action;
use super::pose::Pose;

/// Turn to the side against the straight frame, degrees of the mesh, that is a whole way. Photos rotated by 45° seem
/// to turn by up to 13.5.
const TURN: f32 = 14.0;
/// The same of a raised chin. Photos tilted by 40° seem to rise by up to 6.
const RISE: f32 = 7.5;
/// Opening of the eyes in a blink, as a part of their usual opening.
const BLINK: f32 = 0.80;
/// Widening of the mouth, in units of the eyes' distance.
const MOUTH: f32 = 0.12;
/// Growth of the face when it comes closer.
const CLOSER: f32 = 1.25;
/// Largest turn that still counts as straight, degrees.
pub const STRAIGHT: f32 = 25.0;

/// How far a pose goes of the way that an action asks for: 0 as straight ahead, 1 and more when done.
pub fn progress(action: Action, straight: &Pose, pose: &Pose) -> f32 {
    match action {
        Action::LookStraight => f32::from(u8::from(pose.yaw.abs() <= STRAIGHT)),
        Action::TurnLeft => (pose.yaw - straight.yaw) / TURN,
        Action::TurnRight => (straight.yaw - pose.yaw) / TURN,
        Action::LookUp => (pose.pitch - straight.pitch) / RISE,
        // A tilted photo narrows the eyes only against their width, a turned one only against the face.
        Action::Blink => {
            let closed = |now: f32, usual: f32| 1.0 - now / usual.max(f32::MIN_POSITIVE);
            closed(pose.lids, straight.lids).min(closed(pose.eyes, straight.eyes)) / (1.0 - BLINK)
        }
        Action::OpenMouth => (pose.mouth - straight.mouth) / MOUTH,
        Action::ComeCloser => {
            (pose.size / straight.size.max(f32::MIN_POSITIVE) - 1.0) / (CLOSER - 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{COUNT, Mesh};

    #[test]
    fn an_action_is_measured_against_the_same_face_at_rest() {
        let mesh = Mesh::of(vec![[0.0; 3]; COUNT]);
        let rest = Pose {
            yaw: 5.0,
            pitch: -8.0,
            eyes: 0.3,
            lids: 0.1,
            mouth: 0.05,
            size: 100.0,
            breadth: 0.9,
        };
        assert_eq!(Pose::of(&mesh).size, f32::MIN_POSITIVE);
        let way = |action, pose: Pose| progress(action, &rest, &pose);
        assert!(
            way(
                Action::TurnLeft,
                Pose {
                    yaw: 5.0 + TURN,
                    ..rest
                }
            ) >= 1.0
        );
        assert!(
            way(
                Action::TurnRight,
                Pose {
                    yaw: 5.0 + TURN,
                    ..rest
                }
            ) <= -1.0
        );
        assert!(
            way(
                Action::LookUp,
                Pose {
                    pitch: -8.0 + RISE,
                    ..rest
                }
            ) >= 1.0
        );
        assert!(
            way(
                Action::ComeCloser,
                Pose {
                    size: 126.0,
                    ..rest
                }
            ) > 1.0
        );
        assert!(
            way(
                Action::OpenMouth,
                Pose {
                    mouth: 0.06,
                    ..rest
                }
            ) < 0.1
        );
        let blink = Pose {
            eyes: 0.15,
            lids: 0.05,
            ..rest
        };
        assert!(way(Action::Blink, blink) > 1.0);
        // A tilted picture narrows the one and not the other.
        assert!(way(Action::Blink, Pose { eyes: 0.15, ..rest }) < 0.1);
        for action in Action::ASKED {
            assert!(way(action, rest).abs() < 1e-6, "{action:?}");
        }
    }
}
