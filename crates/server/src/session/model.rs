//! A session and how long it lasts.

use chrono::TimeDelta;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::platform::{
    clock::{Moment, seconds},
    config,
};

/// A browser's session with Axiam's own pages, as it is kept.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// SHA-256 of what the cookie holds.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    /// What pages remember, as JSON.
    pub data: String,
    /// When the browser got it.
    pub created_at: DateTimeUtc,
    /// When it ends, unless it is used before.
    pub expires_at: DateTimeUtc,
    /// Whose it is, while an account is signed in.
    pub account_id: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a session remembers of the account that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Whose session it is.
    pub account_id: Uuid,
    /// What it was begun by (`Account::proof`); a session of another password is none.
    #[serde(default)]
    pub proof: String,
    /// Whether they have shown more than a password: a passkey, their own face, a recovery code.
    #[serde(default)]
    pub is_strong: bool,
    /// When they signed in.
    pub since: Moment,
    /// Name of the browser, for display; empty where nothing is known.
    pub browser: String,
    /// Name of its system, for display.
    pub os: String,
    /// The network that they signed in from.
    pub network: String,
}

impl SignedIn {
    /// Under which name a session remembers it.
    pub const NAME: &str = "account";
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    /// How long it lives without being used.
    idle: TimeDelta,
    /// How long it lives at most, used or not.
    longest: TimeDelta,
}

impl Life {
    pub(super) fn new(settings: &config::Session) -> Self {
        Self {
            idle: seconds(settings.idle),
            longest: seconds(settings.longest),
        }
    }

    /// The end of a session that began at `created` and is used now.
    pub(super) fn end(self, created: Moment, now: Moment) -> Moment {
        (now + self.idle).min(created + self.longest)
    }

    /// Whether use has moved the end by enough to be worth a write: a hundredth of the idle time.
    pub(super) fn is_worth_moving(self, from: Moment, to: Moment) -> bool {
        (to - from) * 100 >= self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_moves_the_end_but_not_for_ever() {
        let life = Life::new(&config::Session {
            idle: 100,
            longest: 250,
        });
        let begun = Moment::UNIX_EPOCH;
        let end = |after| (life.end(begun, begun + seconds(after)) - begun).num_seconds();
        assert_eq!([end(0), end(90), end(180)], [100, 190, 250]);
        assert!(!life.is_worth_moving(begun, begun + TimeDelta::milliseconds(999)));
        assert!(life.is_worth_moving(begun, begun + seconds(1)));
    }
}
