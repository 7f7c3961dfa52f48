//! What a phone may do before it is trusted, and whom its failures count against. A code on a screen can
//! be filmed: whoever pairs with it has shown nothing yet.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    model::{ActiveModel, Column, Device, Entity},
    store,
};
use crate::{
    audit::{Action, Entry},
    client::{self, Client, ClientError},
    platform::{
        clock::{Moment, seconds},
        state::State,
    },
    webhook::{Message, Topic},
};

/// How far a phone is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is the person's: confirmed, and their face was matched on it.
    Trusted,
    /// It is asked, because it was confirmed or because there is no trusted phone to ask instead; but what
    /// fails on it says nothing about the person.
    OnTrial,
    /// It waits to be confirmed and is told of no sign-on. It may show the person's face meanwhile.
    Waiting,
}

impl Standing {
    /// As the contract's answers say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::OnTrial => "on_trial",
            Self::Waiting => "waiting",
        }
    }

    /// Of a phone that has just been paired.
    pub(super) async fn of_new(
        db: &impl ConnectionTrait,
        site_id: Uuid,
        client_id: Uuid,
        now: Moment,
    ) -> Result<Self, DbErr> {
        let paired = store::paired(db, site_id, client_id, now).await?;
        Ok(if paired.iter().any(Device::is_trusted) {
            Self::Waiting
        } else {
            Self::OnTrial
        })
    }

    /// Of one phone among those that are paired with its client.
    #[must_use]
    pub fn among(device: &Device, paired: &[Device]) -> Self {
        if device.is_trusted() {
            Self::Trusted
        } else if device.confirmed_at.is_some() || !paired.iter().any(Device::is_trusted) {
            Self::OnTrial
        } else {
            Self::Waiting
        }
    }

    /// The standing of a phone now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(
        db: &impl ConnectionTrait,
        device: &Device,
        now: Moment,
    ) -> Result<Self, DbErr> {
        if device.is_trusted() {
            return Ok(Self::Trusted);
        }
        let paired = store::paired(db, device.site_id, device.client_id, now).await?;
        Ok(Self::among(device, &paired))
    }
}

/// The phones of a client that are asked for a sign-on, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn pushable(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<Vec<Device>, DbErr> {
    let paired = store::paired(db, site_id, client_id, now).await?;
    Ok(paired
        .iter()
        .filter(|device| device.push_lost_at.is_none())
        .filter(|device| Standing::among(device, &paired) != Standing::Waiting)
        .cloned()
        .collect())
}

/// Lets a phone through whose failures have locked neither it nor its person.
///
/// # Errors
/// How long they are locked.
pub fn pass(device: &Device, client: &Client, now: Moment) -> Result<(), ClientError> {
    client.pass(now)?;
    match device.locked_until {
        Some(until) if until > now && !device.is_trusted() => Err(ClientError::locked(until, now)),
        _ => Ok(()),
    }
}

/// Counts a failure: of a trusted phone against its person, of any other against the phone alone, which is
/// locked for a time as a person would be, and unpaired where they would be locked for good. Whether it,
/// or the person, may try on.
///
/// # Errors
/// When the database fails.
pub async fn record_failure(
    transaction: &DatabaseTransaction,
    state: &State,
    device: &Device,
    now: Moment,
) -> Result<bool, DbErr> {
    let rules = &state.settings.lock;
    let (site_id, client_id) = (device.site_id, device.client_id);
    if device.is_trusted() {
        client::record_failure(transaction, state, site_id, client_id, now).await?;
        return Ok(!client::is_locked(transaction, site_id, client_id, now).await?);
    }
    let counted = || Expr::col(Column::Failures).add(1);
    let locked_until = CaseStatement::new()
        .case(
            counted().gte(rules.temporary_after),
            now + seconds(rules.temporary_for),
        )
        .finally(Expr::col(Column::LockedUntil));
    Entity::update_many()
        .col_expr(Column::Failures, counted())
        .col_expr(Column::LockedUntil, locked_until.into())
        .filter(Column::Id.eq(device.id))
        .filter(Column::SiteId.eq(site_id))
        .exec(transaction)
        .await?;
    let Some(counted) = store::reread(transaction, device).await? else {
        return Ok(false);
    };
    let entry = |action| {
        Entry::new(site_id, action)
            .client(client_id)
            .device(device.id)
    };
    if counted.failures >= rules.permanent_after {
        store::revoke(transaction, site_id, client_id, device.id, now).await?;
        Message::new(site_id, Topic::DeviceUnpaired, client_id)
            .device(Some(device.id))
            .enqueue(transaction, now)
            .await?;
        entry(Action::DeviceRevoked)
            .detail("after too many failures before it was trusted")
            .record(transaction, &state.keys, now)
            .await?;
        return Ok(false);
    }
    if counted.locked_until.is_none_or(|until| until <= now) {
        return Ok(true);
    }
    entry(Action::DeviceLocked)
        .record(transaction, &state.keys, now)
        .await?;
    Ok(false)
}

/// Notes that the person's face was matched on a phone. That confirms it, unless it is one that waits: there
/// a trusted phone, or the site, says so.
///
/// # Errors
/// When the database fails.
pub async fn note_match(
    db: &impl ConnectionTrait,
    device: &Device,
    now: Moment,
) -> Result<(), DbErr> {
    if device.is_trusted() && device.failures == 0 {
        return Ok(());
    }
    let confirmed_at = match Standing::of(db, device, now).await? {
        Standing::Waiting => None,
        Standing::OnTrial | Standing::Trusted => Some(device.confirmed_at.unwrap_or(now)),
    };
    let matched = ActiveModel {
        confirmed_at: Set(confirmed_at),
        matched_at: Set(Some(device.matched_at.unwrap_or(now))),
        failures: Set(0),
        locked_until: Set(None),
        ..Default::default()
    };
    store::change(db, device, matched).await
}
