//! What was done, when, to whom: an append-only record for auditors.

use std::net::IpAddr;

use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, entity::prelude::*};

use crate::platform::clock::Moment;

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub client_id: Option<Uuid>,
        pub device_id: Option<Uuid>,
        pub sign_on_id: Option<Uuid>,
        pub action: String,
        pub detail: String,
        pub ip: String,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A security decision, by the name it has in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A client was made known.
    ClientCreated,
    /// A code to pair a phone was handed out.
    EnrolmentOffered,
    /// A phone was paired.
    DeviceRegistered,
    /// A person agreed to the use of their face.
    ConsentGiven,
    /// A face was enrolled, or took an older one's place.
    FaceEnrolled,
    /// A scan was taken as a further reference.
    FaceAdapted,
    /// References were moved under a new transform; those of before are worth nothing any more.
    FaceReissued,
    /// A face was not enrolled, because it is not the one that is there.
    EnrolmentFailed,
    /// A sign-on was asked for.
    SignOnRequested,
    /// A phone was given a challenge to answer with photos.
    ChallengeGiven,
    /// A try at a sign-on failed: liveness, match or number.
    TryFailed,
    /// The person was recognised.
    SignOnVerified,
    /// No try was left.
    SignOnFailed,
    /// The person said no.
    SignOnDenied,
    /// The person said no, and that it was not them who asked.
    SignOnReported,
    /// The site took the sign-on back.
    SignOnCancelled,
    /// Nobody answered in time.
    SignOnExpired,
    /// The site's backend redeemed the session token.
    SessionRedeemed,
    /// A locked client was let in again.
    ClientUnlocked,
    /// A client, their face and their phones were erased.
    ClientErased,
    /// A phone was unpaired.
    DeviceRevoked,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCreated => "client_created",
            Self::EnrolmentOffered => "enrolment_offered",
            Self::DeviceRegistered => "device_registered",
            Self::ConsentGiven => "consent_given",
            Self::FaceEnrolled => "face_enrolled",
            Self::FaceAdapted => "face_adapted",
            Self::FaceReissued => "face_reissued",
            Self::EnrolmentFailed => "enrolment_failed",
            Self::SignOnRequested => "sign_on_requested",
            Self::ChallengeGiven => "challenge_given",
            Self::TryFailed => "try_failed",
            Self::SignOnVerified => "sign_on_verified",
            Self::SignOnFailed => "sign_on_failed",
            Self::SignOnDenied => "sign_on_denied",
            Self::SignOnReported => "sign_on_reported",
            Self::SignOnCancelled => "sign_on_cancelled",
            Self::SignOnExpired => "sign_on_expired",
            Self::SessionRedeemed => "session_redeemed",
            Self::ClientUnlocked => "client_unlocked",
            Self::ClientErased => "client_erased",
            Self::DeviceRevoked => "device_revoked",
        }
    }
}

/// One line of the record, begun with what always is there.
#[derive(Debug, Clone)]
pub struct Entry {
    site_id: Uuid,
    action: Action,
    client_id: Option<Uuid>,
    device_id: Option<Uuid>,
    sign_on_id: Option<Uuid>,
    detail: String,
    ip: String,
}

impl Entry {
    /// Begins the entry: `action` was decided on site `site_id`.
    #[must_use]
    pub fn new(site_id: Uuid, action: Action) -> Self {
        Self {
            site_id,
            action,
            client_id: None,
            device_id: None,
            sign_on_id: None,
            detail: String::new(),
            ip: String::new(),
        }
    }

    /// Names the client that it was done to.
    #[must_use]
    pub fn client(mut self, id: Uuid) -> Self {
        self.client_id = Some(id);
        self
    }

    /// Names the phone that did it.
    #[must_use]
    pub fn device(mut self, id: Uuid) -> Self {
        self.device_id = Some(id);
        self
    }

    /// Names the sign-on that it was part of.
    #[must_use]
    pub fn sign_on(mut self, id: Uuid) -> Self {
        self.sign_on_id = Some(id);
        self
    }

    /// What else there is to say; never a secret, never a score.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the network address that asked for it.
    #[must_use]
    pub fn from(mut self, ip: IpAddr) -> Self {
        self.ip = ip.to_string();
        self
    }

    /// Writes the line, in the transaction of what it tells about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(self, db: &impl ConnectionTrait, now: Moment) -> Result<(), DbErr> {
        row::Entity::insert(row::ActiveModel {
            id: Set(Uuid::new_v4()),
            site_id: Set(self.site_id),
            client_id: Set(self.client_id),
            device_id: Set(self.device_id),
            sign_on_id: Set(self.sign_on_id),
            action: Set(self.action.as_str().to_owned()),
            detail: Set(self.detail),
            ip: Set(self.ip),
            created_at: Set(now),
        })
        .exec_without_returning(db)
        .await?;
        Ok(())
    }
}
