//! What an operator does with a site's webhooks.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr};
use url::Url;
use uuid::Uuid;

use super::{
    message::LIFE,
    model::{ActiveModel, Topics, Webhook, WebhookError},
    secret::{Owner, Signing},
    store,
};
use crate::{
    audit::{Action, Entry},
    platform::{
        clock::Moment,
        db,
        keys::Keyring,
        outbox::{self, Stage},
        outgoing::Outgoing,
        secret::Secret,
    },
};

/// Most webhooks of one site.
const MOST: usize = 10;

/// A webhook that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The id that it will have, so that a form which is sent twice adds one.
    pub id: Uuid,
    /// Where messages are posted to.
    pub url: &'a str,
    /// What it is told of.
    pub topics: Topics,
}

/// Adds a webhook to a site. Its secret is shown this once.
///
/// # Errors
/// When messages may not be posted there, the id is taken, or the site has too many already.
pub async fn add(
    (db, keys): (&DatabaseConnection, &Keyring),
    outgoing: &Outgoing,
    site_id: Uuid,
    Wanted { id, url, topics }: Wanted<'_>,
    now: Moment,
) -> Result<(Webhook, Secret), WebhookError> {
    let url = Url::parse(url)?;
    outgoing.check(&url)?;
    let owner = Owner {
        site_id,
        webhook_id: id,
    };
    let secret = Signing::draw();
    let webhook = Webhook {
        id,
        site_id,
        url: url.into(),
        topics,
        secret: secret.seal(keys, owner)?,
        previous_secret: None,
        previous_until: None,
        disabled_at: None,
        disabled_for: String::new(),
        created_at: now,
    };
    let transaction = db::begin(db).await?;
    if store::of_site(&transaction, site_id).await?.len() >= MOST {
        transaction.rollback().await?;
        return Err(WebhookError::TooMany(MOST));
    }
    match store::insert(&transaction, &webhook).await {
        Err(error) if db::is_duplicate(&error) => {
            transaction.rollback().await?;
            return Err(WebhookError::SentBefore);
        }
        outcome => outcome?,
    }
    entry(&webhook, Action::WebhookAdded, &described(&webhook))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok((webhook, secret.shown()))
}

/// Takes a webhook away, with what it was told and is still to be told.
///
/// # Errors
/// [`WebhookError::NotFound`] when it has gone meanwhile.
pub async fn remove(
    (db, keys): (&DatabaseConnection, &Keyring),
    webhook: &Webhook,
    now: Moment,
) -> Result<(), WebhookError> {
    let transaction = db::begin(db).await?;
    if !store::remove(&transaction, webhook).await? {
        return Err(WebhookError::NotFound);
    }
    outbox::discard(&transaction, &[webhook.id]).await?;
    entry(webhook, Action::WebhookRemoved, &described(webhook))
        .record(&transaction, keys, now)
        .await?;
    Ok(transaction.commit().await?)
}

/// Gives a webhook another secret, shown this once. Messages carry signatures by both for `overlap`.
///
/// # Errors
/// [`WebhookError::NotFound`] when it has gone meanwhile.
pub async fn rotate_secret(
    (db, keys): (&DatabaseConnection, &Keyring),
    webhook: &Webhook,
    overlap: TimeDelta,
    now: Moment,
) -> Result<Secret, WebhookError> {
    let secret = Signing::draw();
    let owner = Owner::of(webhook);
    let keeps = overlap > TimeDelta::zero();
    let changed = ActiveModel {
        secret: Set(secret.seal(keys, owner)?),
        previous_secret: Set(keeps.then(|| webhook.secret.clone())),
        previous_until: Set(keeps.then(|| now + overlap)),
        ..Default::default()
    };
    let told = format!(
        "{}; the one before signs for {} s",
        webhook.id,
        overlap.num_seconds()
    );
    change(
        (db, keys),
        webhook,
        changed,
        (Action::WebhookSecretRotated, told),
        now,
    )
    .await?;
    Ok(secret.shown())
}

/// Switches a webhook off, for a reason, or on again. While it is off it is told nothing.
///
/// # Errors
/// [`WebhookError::NotFound`] when it has gone meanwhile.
pub async fn switch(
    (db, keys): (&DatabaseConnection, &Keyring),
    webhook: &Webhook,
    off_for: Option<&str>,
    now: Moment,
) -> Result<(), WebhookError> {
    let changed = ActiveModel {
        disabled_at: Set(off_for.map(|_| now)),
        disabled_for: Set(off_for.unwrap_or_default().to_owned()),
        ..Default::default()
    };
    let told = match off_for {
        Some(reason) => format!("{} off: {reason}", webhook.id),
        None => format!("{} on", webhook.id),
    };
    change(
        (db, keys),
        webhook,
        changed,
        (Action::WebhookSwitched, told),
        now,
    )
    .await
}

async fn change(
    (db, keys): (&DatabaseConnection, &Keyring),
    webhook: &Webhook,
    changed: ActiveModel,
    (action, told): (Action, String),
    now: Moment,
) -> Result<(), WebhookError> {
    let transaction = db::begin(db).await?;
    if !store::change(&transaction, webhook, changed).await? {
        return Err(WebhookError::NotFound);
    }
    Entry::new(webhook.site_id, action)
        .detail(told)
        .record(&transaction, keys, now)
        .await?;
    Ok(transaction.commit().await?)
}

fn entry(webhook: &Webhook, action: Action, told: &str) -> Entry {
    Entry::new(webhook.site_id, action).detail(format!("{} {told}", webhook.id))
}

/// Where it is and what it is told of; of the address the host alone, for a path may be as good as a password.
fn described(webhook: &Webhook) -> String {
    let url = Url::parse(&webhook.url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    format!("at {host}, told of {}", webhook.topics.words())
}

/// What is to be delivered once more.
#[derive(Debug, Clone, Copy)]
pub enum Replay {
    /// One message, whatever became of it.
    One(Uuid),
    /// Those that were given up, a batch of the latest.
    Dead,
}

/// Delivers messages to a webhook once more, under the ids they had. How many.
///
/// # Errors
/// When the database fails.
pub async fn replay(
    db: &DatabaseConnection,
    webhook: &Webhook,
    what: Replay,
    now: Moment,
) -> Result<u64, DbErr> {
    let ids = match what {
        Replay::One(id) => outbox::within_site(db, webhook.site_id, id)
            .await?
            .filter(|parcel| parcel.target_id == webhook.id)
            .map(|parcel| vec![parcel.id])
            .unwrap_or_default(),
        Replay::Dead => outbox::listed(db, webhook.id, Some(Stage::Dead), outbox::BATCH)
            .await?
            .into_iter()
            .map(|parcel| parcel.id)
            .collect(),
    };
    outbox::again(db, ids, LIFE, now).await
}
