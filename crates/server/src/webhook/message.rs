//! What a webhook is told: who it is about by their ids, and never a secret, a number, a score or a face.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    model::{Topic, Webhook},
    store,
};
use crate::platform::{
    clock::Moment,
    code::Code,
    outbox::{self, Draft, Parcel},
};

/// The kind of parcels that are messages to webhooks.
pub(super) const KIND: &str = "webhook";

/// How long a message is tried to be delivered.
pub(super) const LIFE: TimeDelta = TimeDelta::days(3);

/// The id under which receivers know a message: the same at every attempt and for every webhook, so that whoever
/// gets it twice can tell.
#[must_use]
pub fn message_id(parcel: &Parcel) -> String {
    format!("msg_{}", parcel.subject_id.simple())
}

/// What is posted to a webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Payload {
    /// What happened.
    #[serde(rename = "type")]
    pub topic: Topic,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Moment,
    /// Whom and what it is about.
    pub data: Data,
}

/// Whom and what a message is about; what does not apply is left out.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Data {
    /// The site that it happened on.
    pub site_id: Uuid,
    /// The client that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The phone that it was done with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// The sign-on that it is about. Its verification token is a secret of the page's, and not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_on_id: Option<Uuid>,
    /// Why a sign-on failed, as in the API's errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The same as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// Until when a client is locked out; left out of a lock that an owner must lift.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub locked_until: Option<Moment>,
    /// The `jti` of the receipt of an erasure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<Uuid>,
    /// Says that it was a test identity.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// Something that happened on a site, for those of its webhooks that want to know.
#[derive(Debug, Clone)]
pub struct Message {
    topic: Topic,
    data: Data,
}

impl Message {
    /// Something that happened on a site, to a client or to nobody.
    #[must_use]
    pub fn new(site_id: Uuid, topic: Topic, client_id: impl Into<Option<Uuid>>) -> Self {
        let data = Data {
            site_id,
            client_id: client_id.into(),
            ..Data::default()
        };
        Self { topic, data }
    }

    /// A message that tells of nothing.
    pub(super) fn test(site_id: Uuid) -> Self {
        let data = Data {
            site_id,
            test: true,
            ..Data::default()
        };
        Self {
            topic: Topic::Test,
            data,
        }
    }

    /// Names the phone, if there is one.
    #[must_use]
    pub fn device(mut self, id: Option<Uuid>) -> Self {
        self.data.device_id = id;
        self
    }

    /// Names the sign-on, and says whether it was asked of a test identity.
    #[must_use]
    pub fn sign_on(mut self, id: Uuid, is_test: bool) -> Self {
        self.data.sign_on_id = Some(id);
        self.data.test = is_test;
        self
    }

    /// Says why it failed.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.data.code = Some(code.number());
        self.data.error = Some(code.slug());
        self
    }

    /// Says until when a lock holds; `None` until it is lifted.
    #[must_use]
    pub fn locked(mut self, until: Option<Moment>) -> Self {
        self.data.locked_until = until;
        self
    }

    /// Names the receipt of an erasure.
    #[must_use]
    pub fn receipt(mut self, id: Uuid) -> Self {
        self.data.receipt_id = Some(id);
        self
    }

    /// Puts it into the outbox for every webhook of the site that wants it, in the transaction of what it
    /// tells of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(self, db: &impl ConnectionTrait, now: Moment) -> Result<(), DbErr> {
        let mut wanted = store::listening(db, self.data.site_id).await?;
        wanted.retain(|webhook| webhook.topics.include(self.topic));
        if wanted.is_empty() {
            return Ok(());
        }
        let subject_id = Uuid::now_v7();
        let drafts: Result<Vec<_>, _> = wanted
            .iter()
            .map(|webhook| self.draft(webhook, subject_id, now))
            .collect();
        outbox::put(db, drafts?, now).await
    }

    /// The parcel for one webhook.
    pub(super) fn draft(
        &self,
        webhook: &Webhook,
        subject_id: Uuid,
        now: Moment,
    ) -> Result<Draft, DbErr> {
        let payload = Payload {
            topic: self.topic,
            timestamp: now,
            data: self.data.clone(),
        };
        Ok(Draft {
            site_id: Some(webhook.site_id),
            kind: KIND,
            target_id: webhook.id,
            subject_id,
            topic: self.topic.as_str().to_owned(),
            body: serde_json::to_string(&payload)
                .map_err(|error| DbErr::Json(error.to_string()))?,
            life: LIFE,
        })
    }
}
