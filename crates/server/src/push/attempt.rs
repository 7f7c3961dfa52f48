//! One attempt to wake a phone, and what it taught.

use sea_orm::DbErr;

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

/// Why there is nothing to post.
pub(super) enum Unready {
    /// The attempt ends here.
    Settled(Attempt),
    /// The database failed.
    Database(DbErr),
}

impl Unready {
    /// Refused for good.
    pub(super) fn refused(why: &str) -> Self {
        Self::Settled(Attempt::of(Fate::Refused(why.to_owned())))
    }

    /// Not this time.
    pub(super) fn later(why: String) -> Self {
        Self::Settled(Attempt::of(Fate::Later(why, None)))
    }

    /// What came of the attempt.
    pub(super) fn settled(self) -> Result<Attempt, DbErr> {
        match self {
            Self::Settled(attempt) => Ok(attempt),
            Self::Database(error) => Err(error),
        }
    }
}

impl From<DbErr> for Unready {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}
