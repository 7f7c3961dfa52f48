//! Posts messages to webhooks.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use sea_orm::{DatabaseConnection, DbErr};
use url::Url;
use uuid::Uuid;

use super::{
    flow,
    message::{KIND, Message, message_id},
    model::{Webhook, WebhookError},
    secret, store,
};
use crate::platform::{
    clock::Moment,
    keys::Keyring,
    outbox::{self, Courier, Fate, Pace, Parcel, Stage},
    outgoing::{NotSent, Outgoing, Reply},
    state::State,
};

/// Seconds at first, hours in the end: some twenty attempts in three days.
const PACE: Pace = Pace {
    first: 5.0,
    growth: 4.0,
    longest: 6.0 * 3600.0,
};

/// Carries messages to webhooks.
pub struct WebhookCourier(pub Arc<Outgoing>);

#[async_trait]
impl Courier for WebhookCourier {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn longest(&self) -> TimeDelta {
        self.0.patience()
    }

    async fn carry(&self, state: &State, parcel: &Parcel) -> Result<Fate, DbErr> {
        let webhook = store::find(
            &state.db,
            parcel.site_id.unwrap_or_default(),
            parcel.target_id,
        )
        .await?;
        let Some(webhook) = webhook else {
            return Ok(Fate::Refused("the webhook was removed".into()));
        };
        if webhook.disabled_at.is_some() {
            return Ok(Fate::Refused("the webhook is switched off".into()));
        }
        let now = state.now();
        let fate = post(&state.keys, &self.0, &webhook, parcel, now).await?;
        if fate == gone() {
            let off = Some("the endpoint answered 410 Gone");
            match flow::switch((&state.db, &state.keys), &webhook, off, now).await {
                Ok(()) | Err(WebhookError::NotFound) => {}
                Err(WebhookError::Database(error)) => return Err(error),
                Err(error) => return Err(DbErr::Custom(error.to_string())),
            }
        }
        Ok(fate)
    }
}

/// The end of a message to an endpoint that wants no more of them.
fn gone() -> Fate {
    Fate::Refused("410; the webhook was switched off".into())
}

async fn post(
    keys: &Keyring,
    outgoing: &Outgoing,
    webhook: &Webhook,
    parcel: &Parcel,
    now: Moment,
) -> Result<Fate, DbErr> {
    let headers = match headers(keys, webhook, parcel, now) {
        Ok(headers) => headers,
        Err(error) => return Ok(Fate::Later(error.to_string(), None)),
    };
    let Ok(url) = Url::parse(&webhook.url) else {
        return Ok(Fate::Refused("the webhook's url cannot be read".into()));
    };
    let body = parcel.body.clone().into_bytes();
    // Nothing of the answer's body is read: however long it is, it is of no use.
    Ok(match outgoing.post(&url, headers, body, 0, now).await {
        Ok(reply) => fate(&reply),
        Err(NotSent::Forbidden(why) | NotSent::Failed(why)) => Fate::Later(why, None),
    })
}

fn fate(reply: &Reply) -> Fate {
    let status = reply.status;
    match status {
        200..300 => Fate::Delivered(status.to_string()),
        300..400 => Fate::Later(format!("{status}; redirects are not followed"), None),
        410 => gone(),
        _ => Fate::Later(status.to_string(), reply.retry_after),
    }
}

fn headers(
    keys: &Keyring,
    webhook: &Webhook,
    parcel: &Parcel,
    now: Moment,
) -> Result<HeaderMap, WebhookError> {
    let id = message_id(parcel);
    let signed = secret::signatures(keys, webhook, (&id, &parcel.body), now)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", now.timestamp().to_string()),
        ("webhook-signature", signed),
    ] {
        // Letters, digits and signs of ASCII, all of them.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(headers)
}

/// Sends a message that tells of nothing, at once and once, whether the webhook is on or off. What came of it.
///
/// # Errors
/// When the database fails.
pub async fn try_out(
    (db, keys): (&DatabaseConnection, &Keyring),
    outgoing: &Outgoing,
    webhook: &Webhook,
    now: Moment,
) -> Result<Fate, DbErr> {
    let draft = Message::test(webhook.site_id).draft(webhook, Uuid::now_v7(), now)?;
    let taken = outbox::put_taken(db, draft, outgoing.patience(), now).await?;
    let fate = post(keys, outgoing, webhook, &taken.parcel, now).await?;
    let (stage, said) = match &fate {
        Fate::Delivered(said) => (Stage::Delivered, said),
        Fate::Later(said, _) | Fate::Refused(said) => (Stage::Dead, said),
    };
    outbox::finish(db, &taken, (stage, said), None, now).await?;
    Ok(fate)
}
