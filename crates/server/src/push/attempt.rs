//! One attempt to wake a phone, and what it taught.

use crate::platform::outbox::Fate;

/// What is known of the address afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taught {
    /// Nothing new: it is good, or nobody knows.
    Nothing,
    /// Nobody was reached there.
    Silence,
    /// A browser gave its subscription up; its person may open the app all the same.
    SubscriptionGone,
    /// The app was removed from the phone.
    AppGone,
}

/// One attempt, and what it taught.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// What becomes of the push.
    pub(super) fate: Fate,
    /// What becomes of the address.
    pub(super) taught: Taught,
}

impl Attempt {
    /// One that taught nothing about the address.
    pub(super) fn of(fate: Fate) -> Self {
        Self {
            fate,
            taught: Taught::Nothing,
        }
    }

    /// One that reached nobody.
    pub(super) fn unheard(why: String) -> Self {
        Self {
            fate: Fate::Later(why, None),
            taught: Taught::Silence,
        }
    }
}
