//! A client, and when one is locked out.

use std::str::FromStr;

use email_address::EmailAddress;
use sea_orm::entity::prelude::*;
use serde::Deserialize;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use crate::platform::clock::Moment;

/// A person known to one site.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// The contract's `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site that knows them.
    pub site_id: Uuid,
    /// As it was given.
    pub email: String,
    /// As it is compared.
    pub email_key: String,
    /// As it was given.
    pub full_name: String,
    /// As it is looked for.
    pub name_key: String,
    /// Failures in a row.
    pub failures: i32,
    /// Set while locked for a time.
    pub locked_until: Option<DateTimeUtc>,
    /// Set while locked until an owner unlocks.
    pub locked_permanently: bool,
    /// When the site made them known.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Client;

impl Client {
    /// Somebody with an address that the site does not know, who is nobody: in no database, and with an id that is
    /// no client's.
    #[must_use]
    pub fn nobody(id: Uuid, site_id: Uuid, now: Moment) -> Self {
        Self {
            id,
            site_id,
            email: String::new(),
            email_key: String::new(),
            full_name: String::new(),
            name_key: String::new(),
            failures: 0,
            locked_until: None,
            locked_permanently: false,
            created_at: now,
        }
    }

    /// Lets a client through who is not locked out.
    ///
    /// # Errors
    /// How long they are locked.
    pub fn pass(&self, now: Moment) -> Result<(), ClientError> {
        if self.locked_permanently {
            return Err(ClientError::LockedPermanently);
        }
        match self.locked_until {
            Some(until) if until > now => Err(ClientError::locked(until, now)),
            _ => Ok(()),
        }
    }
}

/// An e-mail address in the form that is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

impl Email {
    /// As it was given, without blanks around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared: ASCII letters in lower case, the domain in its ASCII form (IDNA), the part
    /// before the `@` otherwise character for character, composed (NFC) because keyboards write one
    /// letter in one or two characters. Capitals beyond ASCII stay as they are: their foldings run into
    /// each other (`ẞ` and `ß`, both small sigmas), and one person's address must never become
    /// another's. Composing comes last: it makes a `K` of the Kelvin sign, which is no `k` then.
    #[must_use]
    pub fn key(&self) -> String {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => {
                let ascii = idna::domain_to_ascii(domain);
                let domain = ascii.unwrap_or_else(|_| domain.to_ascii_lowercase());
                let local: String = local.to_ascii_lowercase().nfc().collect();
                format!("{local}@{domain}")
            }
            None => self.0.to_ascii_lowercase(),
        }
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        // What is well-formed is asked of the composed form; combining marks alone are not letters.
        let composed: String = text.nfc().collect();
        let parsed = EmailAddress::from_str(&composed).map_err(|_| "is not an e-mail address")?;
        let plain = parsed.display_part().is_empty() && !text.contains(['"', '<', '>', '(', ')']);
        if !plain || text.chars().any(char::is_control) {
            return Err("is not an e-mail address");
        }
        Ok(Self(text.to_owned()))
    }
}

/// A person's name, up to 200 characters; empty where the site gives none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FullName(String);

impl FullName {
    /// The name as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is looked for: composed (NFC), in lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.nfc().collect::<String>().to_lowercase()
    }
}

impl TryFrom<String> for FullName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        match text.chars().count() {
            ..=200 if text.chars().any(char::is_control) => Err("has control characters"),
            ..=200 => Ok(Self(text.to_owned())),
            _ => Err("is longer than 200 characters"),
        }
    }
}

/// What can go wrong with a client.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Unknown, or another site's: never say which.
    #[error("no such client")]
    NotFound,
    /// The site knows this address already.
    #[error("a client with this e-mail exists already")]
    EmailTaken(Uuid),
    /// Locked out for a while.
    #[error("locked after too many failures; {minutes} minutes left")]
    Locked {
        /// Minutes left, rounded up.
        minutes: i64,
    },
    /// Locked out until an owner unlocks.
    #[error("locked after too many failures until the site's owner unlocks")]
    LockedPermanently,
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl ClientError {
    /// Locked out until then.
    #[must_use]
    pub fn locked(until: Moment, now: Moment) -> Self {
        Self::Locked {
            minutes: ((until - now).num_seconds() + 59) / 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::{Clock, SystemClock, seconds};

    fn email(text: &str) -> Result<Email, &'static str> {
        Email::try_from(text.to_owned())
    }

    #[test]
    fn addresses_are_compared_without_capitals() {
        assert_eq!(email(" Ann@Example.com ").unwrap().key(), "ann@example.com");
        assert_eq!(
            email(" Ann@Example.com ").unwrap().as_str(),
            "Ann@Example.com"
        );
        assert!(email("jörg@bücher.example").is_ok());
    }

    #[test]
    fn no_address_is_folded_onto_another_persons() {
        let key = |text: &str| email(text).unwrap().key();
        for (one, other) in [
            ("\u{212a}ann@x.example", "kann@x.example"),
            ("gro\u{1e9e}@x.example", "groß@x.example"),
            ("ΟΔΟΣ@x.example", "οδος@x.example"),
            ("οδοσ@x.example", "οδος@x.example"),
        ] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn spellings_of_one_address_are_one() {
        let key = |text: &str| email(text).unwrap().key();
        assert_eq!(key("ann@bücher.example"), key("ANN@xn--bcher-kva.example"));
        assert_eq!(key("ann@BÜCHER.example"), key("ann@bücher.example"));
        assert_eq!(key("zoe\u{308}@x.example"), key("zo\u{eb}@x.example"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(300));
        for text in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            &long,
            "Ann <ann@example.com>",
            "ann@example.com\nbcc: x@example.com",
            "\"a b\"@example.com",
        ] {
            assert!(email(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_have_a_length() {
        assert_eq!(FullName::try_from("  ".to_owned()).unwrap().as_str(), "");
        assert!(FullName::try_from("é".repeat(200)).is_ok());
        assert!(FullName::try_from("é".repeat(201)).is_err());
        assert!(FullName::try_from("a\u{0}b".to_owned()).is_err());
    }

    #[test]
    fn a_lock_tells_its_minutes_and_ends() {
        let now = SystemClock.now();
        let client = Client {
            id: Uuid::nil(),
            site_id: Uuid::nil(),
            email: String::new(),
            email_key: String::new(),
            full_name: String::new(),
            name_key: String::new(),
            failures: 5,
            locked_until: Some(now + seconds(61)),
            locked_permanently: false,
            created_at: now,
        };
        assert!(matches!(
            client.pass(now),
            Err(ClientError::Locked { minutes: 2 })
        ));
        assert!(client.pass(now + seconds(61)).is_ok());
        let client = Client {
            locked_permanently: true,
            ..client
        };
        assert!(matches!(
            client.pass(now + seconds(61)),
            Err(ClientError::LockedPermanently)
        ));
    }
}
