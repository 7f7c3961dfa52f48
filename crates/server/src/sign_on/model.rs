//! One attempt to sign on, and what may happen to it.

use ::face::liveness::Doubt;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt as _;
use sea_orm::{DeriveActiveEnum, EnumIter, FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    audit::{Action, Entry},
    client::{Client, ClientError, TestIdentity},
    face::FaceError,
    limit::Limited,
    platform::{
        clock::Moment,
        events::{Failing, Verdict},
        keys::Keyring,
        secret::Secret,
    },
    site::{Liveness, Site},
    webhook::{Message, Topic},
};

/// One attempt; kept as the login tracker's row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_ons")]
pub struct Model {
    /// `sign_on_id`: names it to the phone, no secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site that asked.
    pub site_id: Uuid,
    /// Who is to sign on.
    pub client_id: Uuid,
    /// SHA-256 of the verification token.
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    /// Open, or how it ended.
    pub state: State,
    /// Tries of face, liveness or number that are left.
    pub tries_left: i32,
    /// The number that the page shows.
    pub number: Option<i32>,
    /// The numbers that the phone may choose from; empty without number matching.
    #[sea_orm(column_type = "JsonBinary")]
    pub choices: Choices,
    /// Where it was asked for.
    pub ip: String,
    /// The browser's own words.
    pub user_agent: String,
    /// Name of the browser that asked, for display.
    pub browser: String,
    /// Name of that browser's system, for display.
    pub os: String,
    /// For display; empty where nothing is known.
    pub place: String,
    /// SHA-256 of the challenge's nonce; none before the first challenge and after each try.
    pub challenge_hash: Option<Vec<u8>>,
    /// The nonce, sealed, so that it can be given again.
    pub challenge_sealed: Option<Vec<u8>>,
    /// When it was given.
    pub challenge_at: Option<DateTimeUtc>,
    /// The end of the challenge's life.
    pub challenge_until: Option<DateTimeUtc>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// The end of the verification token's life.
    pub expires_at: DateTimeUtc,
    /// When the verdict fell; none while it waits.
    pub decided_at: Option<DateTimeUtc>,
    /// When that is known to have been broadcast.
    #[sea_orm(column_name = "told_at")]
    pub delivered_at: Option<DateTimeUtc>,
    /// The phone that answered.
    pub device_id: Option<Uuid>,
    /// How its last challenge asked for a living person; none where none was given.
    pub liveness: Option<Liveness>,
    /// Code of the last failed try.
    pub failure: Option<i32>,
    /// SHA-256 of the client session token.
    #[sea_orm(unique)]
    pub session_hash: Option<Vec<u8>>,
    /// The end of the session token's life.
    pub session_expires_at: Option<DateTimeUtc>,
    /// When the site's backend redeemed it.
    pub redeemed_at: Option<DateTimeUtc>,
    /// Which test identity was asked, on a site in test mode; none for people.
    pub test_identity: Option<TestIdentity>,
    /// Whether nobody was asked, because nobody can be, and the page does not learn it.
    pub decoy: bool,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SignOn;

/// Numbers that a phone may choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Choices(pub Vec<i32>);

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Waiting for the person.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// The person was recognised.
    #[sea_orm(string_value = "verified")]
    Verified,
    /// No try was left.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// The person said no.
    #[sea_orm(string_value = "denied")]
    Denied,
    /// Nobody answered in time.
    #[sea_orm(string_value = "expired")]
    Expired,
    /// The site took it back.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl SignOn {
    /// Lets an attempt through that still waits for its verdict.
    ///
    /// # Errors
    /// [`SignOnError::Used`] after a verdict, [`SignOnError::Expired`] after its time.
    pub fn open(&self, now: Moment) -> Result<(), SignOnError> {
        match self.state {
            State::Pending if self.expires_at > now => Ok(()),
            State::Pending | State::Expired | State::Cancelled => Err(SignOnError::Expired),
            State::Verified | State::Failed | State::Denied => Err(SignOnError::Used),
        }
    }

    /// A line of the log about it. What became of a decoy was done to nobody.
    #[must_use]
    pub(super) fn entry(&self, action: Action) -> Entry {
        let entry = Entry::new(self.site_id, action).sign_on(self.id);
        if self.decoy {
            entry
        } else {
            entry.client(self.client_id)
        }
    }

    /// What webhooks are told about it; of a decoy without a client, and at the same cost.
    #[must_use]
    pub(super) fn message(&self, topic: Topic) -> Message {
        let client_id = (!self.decoy).then_some(self.client_id);
        Message::new(self.site_id, topic, client_id).sign_on(self.id, self.test_identity.is_some())
    }

    /// Whether `hash` is that of the challenge now in force.
    #[must_use]
    pub fn has_challenge(&self, hash: &[u8], now: Moment) -> bool {
        self.challenge_hash.as_deref() == Some(hash)
            && self.challenge_until.is_some_and(|until| until > now)
    }

    fn failing(&self) -> Option<Failing> {
        Failing::from_number(u16::try_from(self.failure?).ok()?)
    }

    /// The verdict, if there is one. A session token that was redeemed or is too old is left out.
    #[must_use]
    pub fn verdict(&self, client: &Client, keys: &Keyring, now: Moment) -> Option<Verdict> {
        match self.state {
            State::Pending if self.expires_at > now => None,
            State::Pending | State::Expired | State::Cancelled => Some(Verdict::Expired),
            State::Denied => Some(Verdict::Denied),
            State::Failed => Some(Verdict::Failed(self.failing().unwrap_or(Failing::Face))),
            State::Verified => {
                let test = self.test_identity.is_some();
                let redeemable = self.redeemed_at.is_none()
                    && self.session_expires_at.is_some_and(|until| until > now);
                Some(Verdict::Verified {
                    client_id: client.id,
                    email: client.email.clone(),
                    session_token: redeemable.then(|| session_token(keys, self.id, test)),
                    at: self.decided_at.unwrap_or(self.created_at),
                    test,
                })
            }
        }
    }
}

/// The client session token of an attempt. It is derived, not stored, so that a page which comes
/// late can have it again while the database holds only its hash. That of a test says so.
#[must_use]
pub(super) fn session_token(keys: &Keyring, sign_on_id: Uuid, test: bool) -> Secret {
    let bytes = keys.derive_session_secret(sign_on_id);
    let prefix = if test { "st_test_" } else { "st_" };
    Secret::from_text(&format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// How many numbers there are: so many that a blind try passes once in a hundred.
const NUMBERS: i32 = 100;

/// Draws the number that the page shows with two digits, and what a phone may choose from: every number, so that
/// a phone lets it be typed, or at least offers nothing to guess from.
#[must_use]
pub(super) fn draw_number() -> (i32, Choices) {
    let number = rand::rng().random_range(0..NUMBERS);
    (number, Choices((0..NUMBERS).collect()))
}

/// What a page that holds a verification token may watch.
pub struct Watched {
    /// Id of the sign-on that began.
    pub sign_on_id: Uuid,
    /// The site that asks, which says who may watch.
    pub site: Site,
}

/// What can go wrong with a sign-on.
#[derive(Debug, Error)]
pub enum SignOnError {
    /// Unknown, or another client's or site's.
    #[error("no such sign-on")]
    NotFound,
    /// Its time is over, or the site took it back.
    #[error("the sign-on has expired")]
    Expired,
    /// It has a verdict.
    #[error("the sign-on has its verdict already")]
    Used,
    /// The nonce is not the one given out, was used, or is too old.
    #[error("is not the challenge that was given out, or has expired; ask for a new one")]
    Challenge,
    /// The page shows a number and the phone sent none.
    #[error("must be the number that the page shows")]
    NumberMissing,
    /// No phone can be pushed to.
    #[error("the client has no paired device that can be pushed to")]
    NoDevice,
    /// The person has reported this origin.
    #[error("the client has reported sign-ons from this address")]
    Frozen {
        /// Until pushes are let through again.
        seconds: u64,
    },
    /// A try failed, and others may be left.
    #[error("{}", match failure {
        Failing::Face => "the face does not match",
        Failing::Number => "the number is not the page's",
        Failing::Liveness => "the photos do not prove a living person who did what was asked",
    })]
    Refused {
        /// What the person or the photos failed at.
        failure: Failing,
        /// How many tries are left.
        left: i32,
        /// Why, if it was liveness; only its hint leaves the server.
        doubt: Option<Doubt>,
    },
    /// Unknown, expired or redeemed.
    #[error("the client session token is unknown, expired or already redeemed")]
    SessionInvalid,
    /// The token was given to another site.
    #[error("the client session token belongs to another site")]
    SessionOtherSite,
    /// Too many pushes came to nothing lately.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The client is locked or unknown.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The photos cannot be used.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blind_try_passes_once_in_a_hundred() {
        let (_, Choices(choices)) = draw_number();
        assert_eq!(choices, (0..100).collect::<Vec<_>>());
        let mut seen = [0; 100];
        for _ in 0..100_000 {
            let (number, _) = draw_number();
            seen[usize::try_from(number).unwrap()] += 1;
        }
        // Each a thousand times on average; six deviations of a binomial either way.
        assert!(
            seen.iter().all(|&times| (800..1200).contains(&times)),
            "{seen:?}"
        );
    }
}
