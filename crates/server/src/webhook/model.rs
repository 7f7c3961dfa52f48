//! A webhook and what it can be told.

use sea_orm::{DbErr, FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::platform::{
    keys::{KeyError, Unsealable},
    outgoing::NotSent,
};

/// An address of a site that is told what happens.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    /// As the command line names it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site whose it is.
    pub site_id: Uuid,
    /// Where messages are posted to.
    pub url: String,
    /// What it is told of.
    #[sea_orm(column_type = "JsonBinary")]
    pub topics: Topics,
    /// The secret that signs, sealed.
    pub secret: Vec<u8>,
    /// The one of before a rotation, sealed.
    pub previous_secret: Option<Vec<u8>>,
    /// Until when that one signs too.
    pub previous_until: Option<DateTimeUtc>,
    /// Set while it is told nothing.
    pub disabled_at: Option<DateTimeUtc>,
    /// Why it is told nothing.
    pub disabled_for: String,
    /// When it was added.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Webhook;

macro_rules! topics {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal;)*) => {
        /// What a webhook can be told of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum Topic {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl Topic {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it stands in a message's `type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

topics! {
    /// A person was recognised.
    SignOnVerified = "sign_on.verified";
    /// No try was left.
    SignOnFailed = "sign_on.failed";
    /// The person said no.
    SignOnDenied = "sign_on.denied";
    /// Nobody answered in time, or the site took the sign-on back.
    SignOnExpired = "sign_on.expired";
    /// The person said that it was not them who asked; the sign-on was denied too.
    SignOnReported = "sign_on.reported";
    /// A phone was paired.
    DevicePaired = "device.paired";
    /// A phone was unpaired.
    DeviceUnpaired = "device.unpaired";
    /// A face was enrolled, or took an older one's place.
    FaceEnrolled = "face.enrolled";
    /// A client was locked out after too many failures.
    ClientLocked = "client.locked";
    /// A client, their face and their phones were erased.
    ClientErased = "client.erased";
    /// Nothing happened: the webhook is tried out.
    Test = "webhook.test";
}

impl Topic {
    /// The one of this name.
    ///
    /// # Errors
    /// A sentence that names those there are.
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let known = |topic: &&Self| topic.as_str() == text;
        let found = Self::ALL.iter().find(known).copied();
        found.ok_or_else(|| WebhookError::Topic(text.to_owned()))
    }
}

/// What a webhook is told of; empty: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Topics(pub Vec<Topic>);

impl Topics {
    /// Whether it is told of this. A try is meant for it alone.
    #[must_use]
    pub fn include(&self, topic: Topic) -> bool {
        self.0.is_empty() || self.0.contains(&topic)
    }

    /// As people read it.
    #[must_use]
    pub fn words(&self) -> String {
        if self.0.is_empty() {
            return "everything".to_owned();
        }
        let words: Vec<&str> = self.0.iter().map(|topic| topic.as_str()).collect();
        words.join(",")
    }
}

/// What can go wrong with a webhook.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// The site has no such webhook.
    #[error("the site has no such webhook")]
    NotFound,
    /// Messages cannot be posted there.
    #[error("url: {0}")]
    Url(#[from] NotSent),
    /// It is no address at all.
    #[error("url: {0}")]
    NoUrl(#[from] url::ParseError),
    /// There is nothing of this name to be told of.
    #[error("there is no event {0:?}; there are {names}", names = names())]
    Topic(String),
    /// Every message is sent to each of them, so there is a bound.
    #[error("a site has at most {0} webhooks")]
    TooMany(usize),
    /// There is one of this id already.
    #[error("this was sent before")]
    SentBefore,
    /// The installation's keys do not open.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The secret was sealed by another key.
    #[error("the webhook's secret does not open: {0}")]
    Sealed(#[from] Unsealable),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

fn names() -> String {
    let names: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_known_by_the_name_it_travels_with() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()).unwrap(), *topic);
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.as_str());
        }
        let unknown = Topic::parse("sign_on.maybe").unwrap_err().to_string();
        assert!(unknown.contains("sign_on.verified"), "{unknown}");
    }

    #[test]
    fn who_names_nothing_is_told_everything() {
        assert!(Topics::default().include(Topic::ClientErased));
        let some = Topics(vec![Topic::SignOnFailed]);
        assert!(some.include(Topic::SignOnFailed) && !some.include(Topic::SignOnVerified));
    }
}
