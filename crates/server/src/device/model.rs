//! A device and how it is pushed to.

use sea_orm::{DeriveActiveEnum, EnumIter, FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::enrolment::FlowType;

/// A client's paired phone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    /// The contract's `device_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site it was paired for.
    pub site_id: Uuid,
    /// Whose phone it is.
    pub client_id: Uuid,
    /// What the person calls it.
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
    /// SHA-256 thumbprint of its public key (RFC 7638), base64url.
    pub thumbprint: String,
    /// SHA-256 of its token.
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    /// The end of the token's life.
    pub token_expires_at: DateTimeUtc,
    /// How it is woken.
    #[sea_orm(column_type = "JsonBinary")]
    pub push: Push,
    /// When its app turned out to be gone; it is not pushed to until it is heard of again.
    pub push_lost_at: Option<DateTimeUtc>,
    /// What its enrolment was for.
    pub flow_type: FlowType,
    /// Whether its next face may take an older one's place without matching it.
    pub may_replace_face: bool,
    /// SHA-256 of the nonce it was given for enrolling a face.
    pub challenge_hash: Option<Vec<u8>>,
    /// That nonce, sealed, so that it can be given again.
    pub challenge_sealed: Option<Vec<u8>>,
    /// When it was given.
    pub challenge_at: Option<DateTimeUtc>,
    /// The end of that nonce's life.
    pub challenge_until: Option<DateTimeUtc>,
    /// What its person cannot do when asked to prove life; set when it was paired.
    #[sea_orm(column_type = "JsonBinary")]
    pub without: Without,
    /// When it was paired.
    pub created_at: DateTimeUtc,
    /// When it was accepted as the person's: by an older phone, by the site, or because there was none to ask.
    pub confirmed_at: Option<DateTimeUtc>,
    /// When the person's face was first matched, or enrolled, on it.
    pub matched_at: Option<DateTimeUtc>,
    /// Failures in a row that count against it, not against its person.
    pub failures: i32,
    /// Set while it is locked for a time after such failures.
    pub locked_until: Option<DateTimeUtc>,
    /// When it last proved itself.
    pub last_seen_at: DateTimeUtc,
    /// Set when it was unpaired.
    pub revoked_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Device;

impl Device {
    /// Whether it is the person's beyond doubt: confirmed, and their face was matched on it.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.confirmed_at.is_some() && self.matched_at.is_some()
    }
}

/// Words for the actions that a person cannot do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Without(pub Vec<String>);

/// What a phone runs on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "lowercase")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Platform {
    /// An iPhone or iPad.
    #[sea_orm(string_value = "ios")]
    Ios,
    /// A phone with Android.
    #[sea_orm(string_value = "android")]
    Android,
    /// A browser, or a program.
    #[sea_orm(string_value = "web")]
    Web,
}

/// How a phone is woken. Whatever it is, open sign-ons also wait in its inbox.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema, FromJsonQueryResult)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Push {
    /// Firebase Cloud Messaging, by its HTTP v1 interface.
    Fcm {
        /// The app's registration token.
        token: String,
    },
    /// Web Push (RFC 8030).
    WebPush {
        /// What the browser's `PushSubscription` serialises to.
        subscription: Subscription,
        /// The `web_push_key` that it subscribed for; absent: the one in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Not at all: the phone asks for its inbox itself.
    None,
}

/// A browser's push subscription.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Subscription {
    /// The address of the push service that messages are posted to.
    pub endpoint: String,
    /// To whom to encrypt (RFC 8291).
    pub keys: SubscriptionKeys,
}

/// The keys of a push subscription, base64url.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionKeys {
    /// The browser's P-256 public key (RFC 8291), base64url.
    pub p256dh: String,
    /// The browser's authentication secret (RFC 8291), 16 bytes in base64url.
    pub auth: String,
}

/// Longest push address, bytes: real ones stay under a thousand.
const LONGEST_ADDRESS: usize = 4096;

impl Push {
    /// The kind alone; an address is a capability and is never logged.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fcm { .. } => "fcm",
            Self::WebPush { .. } => "web_push",
            Self::None => "none",
        }
    }

    /// Checks that the address can be one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        let texts: &[&String] = match self {
            Self::None => &[],
            Self::Fcm { token } => &[token],
            Self::WebPush {
                subscription: s, ..
            } => &[&s.endpoint, &s.keys.p256dh, &s.keys.auth],
        };
        if texts.iter().any(|text| text.chars().any(char::is_control)) {
            return Err("has control characters");
        }
        match self {
            Self::None => Ok(()),
            Self::Fcm { token } if token.is_empty() => Err("the token is empty"),
            Self::Fcm { token } if token.len() > LONGEST_ADDRESS => Err("the token is too long"),
            Self::Fcm { .. } => Ok(()),
            Self::WebPush { subscription, .. } => {
                let keys = &subscription.keys;
                if subscription.endpoint.len() + keys.p256dh.len() + keys.auth.len()
                    > LONGEST_ADDRESS
                {
                    return Err("the subscription is too long");
                }
                match self.endpoint() {
                    Some(_) => Ok(()),
                    None => Err("the endpoint is no address"),
                }
            }
        }
    }

    /// Where messages are posted to, if they are posted to an address that the phone named.
    #[must_use]
    pub fn endpoint(&self) -> Option<url::Url> {
        match self {
            Self::WebPush { subscription, .. } => url::Url::parse(&subscription.endpoint).ok(),
            Self::Fcm { .. } | Self::None => None,
        }
    }
}

impl std::fmt::Debug for Push {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}
