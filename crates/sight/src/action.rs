//! What a person is asked to do.

/// One thing to do in front of the camera. Left and right are the person's own; frames are as the camera
/// sees them, not mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look into the camera: what the others are compared with.
    LookStraight,
    /// Turn the head to the left.
    TurnLeft,
    /// Turn the head to the right.
    TurnRight,
    /// Raise the chin to look up.
    LookUp,
    /// Close the eyes for a moment.
    Blink,
    /// Open the mouth as for an "ah".
    OpenMouth,
    /// Bring the face nearer to the camera.
    ComeCloser,
}

impl Action {
    /// What may be asked for by chance.
    pub const ASKED: [Self; 6] = [
        Self::TurnLeft,
        Self::TurnRight,
        Self::LookUp,
        Self::Blink,
        Self::OpenMouth,
        Self::ComeCloser,
    ];

    /// The word of the wire contract, e.g. `turn_left`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LookStraight => "look_straight",
            Self::TurnLeft => "turn_left",
            Self::TurnRight => "turn_right",
            Self::LookUp => "look_up",
            Self::Blink => "blink",
            Self::OpenMouth => "open_mouth",
            Self::ComeCloser => "come_closer",
        }
    }

    /// The action of a word of the wire contract.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::LookStraight]
            .into_iter()
            .chain(Self::ASKED)
            .find(|action| action.as_str() == word)
    }

    /// Whether the action shows the head from another side, which proves depth.
    pub const fn turns(self) -> bool {
        matches!(self, Self::TurnLeft | Self::TurnRight | Self::LookUp)
    }

    /// Whether the action moves parts of the face against each other, which no stiff thing can.
    pub const fn moves(self) -> bool {
        matches!(self, Self::Blink | Self::OpenMouth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_actions() {
        for action in Action::ASKED {
            assert_eq!(Action::from_word(action.as_str()), Some(action));
        }
        assert_eq!(Action::from_word("dance"), None);
    }
}
