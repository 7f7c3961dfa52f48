//! An account, its password's rules, and what a role lets it do.

use sea_orm::{DeriveActiveEnum, EnumIter, entity::prelude::*};
use serde::Deserialize;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use super::ceremony::Unproven;
use crate::{
    client::{ClientError, Email},
    enrolment::EnrolmentError,
    erasure::ErasureError,
    limit::Limited,
    platform::{
        passwords::PasswordError,
        secret::{self, Secret},
    },
    site::SiteError,
};

/// Someone who may open the dashboard.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    /// Names it in the audit log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As it was given.
    pub email: String,
    /// As it is compared.
    #[sea_orm(unique)]
    pub email_key: String,
    /// Its hash (Argon2id); none until its link was used.
    pub password: Option<String>,
    /// Whether it runs the installation: it owns every site, and makes further accounts.
    pub is_administrator: bool,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When its person showed that they read the mail of the address.
    pub email_confirmed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Account;

impl Model {
    /// What a session keeps of the password that it was begun by, so that it ends with it. It tells nothing of
    /// either.
    #[must_use]
    pub fn proof(&self) -> String {
        let hash = secret::hash(self.password.as_deref().unwrap_or_default());
        hex::encode(&hash[..16])
    }
}

/// What an account may do on a site. Each may do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "lowercase")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Role {
    /// Looks.
    #[sea_orm(string_value = "viewer")]
    Viewer,
    /// Looks after people: creates and unlocks clients, pairs and unpairs phones, erases.
    #[sea_orm(string_value = "operator")]
    Operator,
    /// Holds the keys: secrets, settings, who else may come in.
    #[sea_orm(string_value = "owner")]
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    /// What it lets an account do, in a sentence.
    #[must_use]
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Viewer => "looks at everything and changes nothing",
            Self::Operator => "looks after people: clients, phones, locks, erasure",
            Self::Owner => "does everything, with keys, settings and access",
        }
    }
}

/// Fewest and most characters of a password (NIST SP 800-63B-4, section 3.1.1.2, asks for 15 where nothing
/// else proves the person, and for at least 64 to be let in).
const LENGTHS: std::ops::RangeInclusive<usize> = 15..=256;

/// Fewest different characters: what falls below is a key that was held down.
const DIFFERENT: usize = 5;

/// A password that may be one. Composed (NFC), because keyboards write one letter in one or two characters.
#[derive(Clone)]
pub struct Password(Secret);

impl Password {
    /// Takes a password that someone chose.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn chosen(text: &str, email: &str) -> Result<Self, AccountError> {
        let composed: String = text.nfc().collect();
        let count = composed.chars().count();
        let different: std::collections::BTreeSet<char> = composed.chars().collect();
        let wrong = if count < *LENGTHS.start() {
            "Use at least 15 characters. A sentence that only you would write is good."
        } else if count > *LENGTHS.end() {
            "Use at most 256 characters."
        } else if different.len() < DIFFERENT {
            "This is too easy to guess. Use more different characters."
        } else if composed.to_lowercase() == email.to_lowercase() {
            "This is the e-mail address. Choose something else."
        } else {
            return Ok(Self(Secret::from_text(&composed)));
        };
        Err(AccountError::Password(wrong))
    }

    /// Takes what someone says is theirs. What is longer than any password can be is cut, so that it costs
    /// no more.
    #[must_use]
    pub fn given(text: &str) -> Self {
        let text: String = text.nfc().take(*LENGTHS.end() + 1).collect();
        Self(Secret::from_text(&text))
    }

    pub(super) fn secret(&self) -> Secret {
        self.0.clone()
    }
}

/// What can go wrong with a passkey.
#[derive(Debug, Error)]
pub enum PasskeyError {
    /// It proves nothing.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// There are too many already, or it is there already.
    #[error("{0}")]
    NotAdded(&'static str),
}

/// What can go wrong with an account.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Not an address.
    #[error("{0}")]
    Email(&'static str),
    /// The password cannot be one; the sentence says why.
    #[error("{0}")]
    Password(&'static str),
    /// Unknown account or wrong password: never say which.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// The password is right, and does not do alone.
    #[error("the password does not do alone")]
    SecondFactor,
    /// The password is not the one in force.
    #[error("the password is wrong")]
    WrongPassword,
    /// The link is unknown, was used, or is too old.
    #[error("the link was used already, or is too old")]
    LinkInvalid,
    /// There is an owner already.
    #[error("this installation has its owner already")]
    SetUpAlready,
    /// An account with this address exists.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// Somebody lets themselves in.
    #[error("this is your own account")]
    Own,
    /// The dashboard's own site is the administrators' alone.
    #[error("only administrators look after the dashboard's own site")]
    DashboardSite,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// It is the address in force.
    #[error("this is the account's address already")]
    SameAddress,
    /// Nobody would own these sites any more.
    #[error("it is the only owner of {}", .0.join(", "))]
    OwnsAlone(Vec<String>),
    /// Nobody would run the installation any more.
    #[error("it is the only administrator")]
    LastAdministrator,
    /// Nobody would own the site any more.
    #[error("a site keeps at least one owner")]
    LastOwner,
    /// Too many tries.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The passkey proves nothing, or cannot be added.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// The client that it is linked to could not be had.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The code for its phone could not be made.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// Its face could not be erased.
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// The dashboard's own site could not be made.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The hash could not be made.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// An address that someone typed.
///
/// # Errors
/// [`AccountError::Email`] where it is none.
pub(in crate::account) fn email(text: &str) -> Result<Email, AccountError> {
    let wrong = "Write the whole address, such as ann@example.com.";
    Email::try_from(text.to_owned()).map_err(|_| AccountError::Email(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_no_held_down_key() {
        let is_taken = |text: &str| Password::chosen(text, "ann.longname@example.com").is_ok();
        assert!(is_taken("four words and more") && is_taken(&"äöüßéè…!".repeat(3)));
        for text in [
            "",
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaaaa",
            "Ann.Longname@example.com",
        ] {
            assert!(!is_taken(text), "{text}");
        }
        assert!(is_taken(&"abcde".repeat(51)) && !is_taken(&"abcde".repeat(52)));
    }

    #[test]
    fn one_letter_is_one_letter_however_it_is_typed() {
        let one = Password::given("zoe\u{308} zoe\u{308} zoe\u{308}");
        assert_eq!(one.secret().reveal(), "zoë zoë zoë");
        assert_eq!(
            Password::given(&"a".repeat(100_000))
                .secret()
                .reveal()
                .len(),
            257
        );
    }

    #[test]
    fn roles_have_an_order() {
        assert!(Role::Owner > Role::Operator && Role::Operator > Role::Viewer);
        assert_eq!(Role::ALL.map(Role::as_str), ["viewer", "operator", "owner"]);
    }
}
