//! Pushes in the database.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryOrder, QuerySelect, Select,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::message::Told;
use crate::{
    device::{self, Device},
    platform::{
        clock::{Moment, seconds},
        outbox::{self, Draft, Parcel},
        state::State,
    },
    site::Site,
};

pub use row::Model as Push;

/// The kind of parcels that are pushes.
pub(super) const KIND: &str = "push";

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    /// One phone that was told of one sign-on.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "pushes")]
    pub struct Model {
        /// Names this push.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The site that asks.
        pub site_id: Uuid,
        /// The phone.
        pub device_id: Uuid,
        /// What the phone is told of.
        pub sign_on_id: Uuid,
        /// How the phone was to be woken.
        pub kind: String,
        /// When it was written.
        pub created_at: DateTimeUtc,
        /// When the push service took it.
        pub sent_at: Option<DateTimeUtc>,
        /// When the push service refused it for good.
        pub refused_at: Option<DateTimeUtc>,
        /// When the phone showed it, as the phone says.
        pub shown_at: Option<DateTimeUtc>,
        /// When the phone took the sign-on up.
        pub opened_at: Option<DateTimeUtc>,
        /// What the push service said last, for people.
        pub said: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Writes the pushes of a sign-on, one for each phone, in its transaction.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    transaction: &DatabaseTransaction,
    state: &State,
    site: &Site,
    devices: &[Device],
    sign_on_id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    let rows = devices.iter().map(|device| row::ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(device.site_id),
        device_id: Set(device.id),
        sign_on_id: Set(sign_on_id),
        kind: Set(device.push.kind().to_owned()),
        created_at: Set(now),
        sent_at: Set(None),
        refused_at: Set(None),
        shown_at: Set(None),
        opened_at: Set(None),
        said: Set(String::new()),
    });
    row::Entity::insert_many(rows)
        .exec_without_returning(transaction)
        .await?;
    let drafts: Vec<Draft> = devices
        .iter()
        .filter(|device| device.push != device::Push::None)
        .map(|device| Draft {
            site_id: Some(device.site_id),
            kind: KIND,
            target_id: device.id,
            subject_id: sign_on_id,
            topic: "sign_on".into(),
            body: Told::sign_on(&state.settings, site, device.id, sign_on_id).text(),
            life: seconds(state.settings.sign_on.lifetime),
        })
        .collect();
    if drafts.is_empty() {
        return parcel_nothing(transaction, sign_on_id).await;
    }
    outbox::put(transaction, drafts, now).await
}

/// Takes the time of [`enqueue`] where nobody is to be told.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_nothing(db: &impl ConnectionTrait, sign_on_id: Uuid) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::SignOnId.eq(sign_on_id))
        .exec(db)
        .await?;
    parcel_nothing(db, sign_on_id).await
}

/// Takes the time of writing parcels: pages must not learn whether there is a phone.
async fn parcel_nothing(db: &impl ConnectionTrait, sign_on_id: Uuid) -> Result<(), DbErr> {
    outbox::discard(db, &[sign_on_id]).await
}

/// Whether a push need not be sent any more: its push service took it, the phone showed it, or the person took the
/// sign-on up without it. A server that was killed may have noted that, or the phone said it, and nothing more.
pub(super) async fn has_arrived(db: &impl ConnectionTrait, parcel: &Parcel) -> Result<bool, DbErr> {
    let arrived = row::Column::SentAt
        .is_not_null()
        .or(row::Column::ShownAt.is_not_null())
        .or(row::Column::OpenedAt.is_not_null());
    let found = row::Entity::find()
        .filter(row::Column::SiteId.eq(parcel.site_id))
        .filter(row::Column::DeviceId.eq(parcel.target_id))
        .filter(row::Column::SignOnId.eq(parcel.subject_id))
        .filter(arrived);
    Ok(found.one(db).await?.is_some())
}

/// What is noted of a push.
pub(super) enum Noted<'a> {
    /// The push service took it.
    Sent,
    /// It never will.
    Refused(&'a str),
    /// It did not this time.
    Failed(&'a str),
}

/// Notes what came of an attempt.
pub(super) async fn note(
    db: &impl ConnectionTrait,
    parcel: &Parcel,
    noted: Noted<'_>,
    now: Moment,
) -> Result<(), DbErr> {
    let mut row = row::ActiveModel {
        ..Default::default()
    };
    let said = match noted {
        Noted::Sent => {
            row.sent_at = Set(Some(now));
            ""
        }
        Noted::Refused(said) => {
            row.refused_at = Set(Some(now));
            said
        }
        Noted::Failed(said) => said,
    };
    row.said = Set(said.to_owned());
    row::Entity::update_many()
        .set(row)
        .filter(row::Column::DeviceId.eq(parcel.target_id))
        .filter(row::Column::SignOnId.eq(parcel.subject_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes that a push was given up by what is said of its parcel, unless more is known of it: what was tried is told
/// by that, and what the phone has, or its person took up without it, is no failure.
pub(super) async fn note_late(db: &impl ConnectionTrait, parcel: &Parcel) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(row::Column::Said, Expr::value(parcel.said.as_str()))
        .filter(row::Column::SiteId.eq(parcel.site_id))
        .filter(row::Column::DeviceId.eq(parcel.target_id))
        .filter(row::Column::SignOnId.eq(parcel.subject_id))
        .filter(row::Column::SentAt.is_null())
        .filter(row::Column::ShownAt.is_null())
        .filter(row::Column::OpenedAt.is_null())
        .filter(row::Column::Said.eq(""))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes that a phone took a sign-on up.
///
/// # Errors
/// When the database fails.
pub async fn note_opened(
    db: &impl ConnectionTrait,
    device: &Device,
    sign_on_id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    note_first(db, device, sign_on_id, row::Column::OpenedAt, now).await
}

/// Notes that a phone showed a push to its person.
///
/// # Errors
/// When the database fails.
pub async fn note_shown(
    db: &impl ConnectionTrait,
    device: &Device,
    sign_on_id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    note_first(db, device, sign_on_id, row::Column::ShownAt, now).await
}

/// Only the first time counts.
async fn note_first(
    db: &impl ConnectionTrait,
    device: &Device,
    sign_on_id: Uuid,
    column: row::Column,
    now: Moment,
) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(column, Expr::value(now))
        .filter(row::Column::SiteId.eq(device.site_id))
        .filter(row::Column::DeviceId.eq(device.id))
        .filter(row::Column::SignOnId.eq(sign_on_id))
        .filter(column.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// The pushes of these sign-ons of a site.
///
/// # Errors
/// When the database fails.
pub async fn of_sign_ons(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Push>, DbErr> {
    row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::SignOnId.is_in(ids))
        .order_by_asc(row::Column::CreatedAt)
        .order_by_asc(row::Column::Id)
        .all(db)
        .await
}

/// How far a push came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It waits in the phone's inbox; no push service has taken it.
    Inbox,
    /// The push service refused it for good.
    Refused,
    /// The push service took it.
    Sent,
    /// The phone showed it.
    Shown,
    /// The phone took the sign-on up.
    Opened,
}

impl Reached {
    /// As files have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Refused => "refused",
            Self::Sent => "sent",
            Self::Shown => "shown",
            Self::Opened => "opened",
        }
    }
}

impl Push {
    /// How far it came.
    #[must_use]
    pub fn reached(&self) -> Reached {
        let steps = [
            (Reached::Opened, self.opened_at),
            (Reached::Shown, self.shown_at),
            (Reached::Sent, self.sent_at),
            (Reached::Refused, self.refused_at),
        ];
        let furthest = steps.into_iter().find(|(_, at)| at.is_some());
        furthest.map_or(Reached::Inbox, |(reached, _)| reached)
    }

    /// How the phone was to be woken, for people.
    #[must_use]
    pub fn kind_told(&self) -> &'static str {
        match self.kind.as_str() {
            "fcm" => "app (FCM)",
            "web_push" => "browser (Web Push)",
            _ => "inbox alone",
        }
    }

    /// How far it came, for people.
    #[must_use]
    pub fn told(&self) -> String {
        let steps = [
            ("sent", self.sent_at),
            ("refused", self.refused_at),
            ("shown", self.shown_at),
            ("opened", self.opened_at),
        ];
        let mut parts: Vec<String> = steps
            .into_iter()
            .filter_map(|(word, at)| Some((word, at?)))
            .map(|(word, at)| format!("{word} {}", at.format("%H:%M:%S")))
            .collect();
        if parts.is_empty() {
            let is_woken = self.kind != device::Push::None.kind();
            let word = if is_woken { "not taken" } else { "waits there" };
            parts.push(word.to_owned());
        }
        if !self.said.is_empty() {
            parts.push(self.said.clone());
        }
        parts.join(", ")
    }
}

/// Those that no push service took, as far as anybody knows: what a phone showed came to it, whatever the server heard.
fn failed(pushes: Select<row::Entity>) -> Select<row::Entity> {
    pushes
        .filter(row::Column::SentAt.is_null())
        .filter(row::Column::ShownAt.is_null())
        .filter(row::Column::Said.ne(""))
}

/// A site's latest pushes, the newest first; those that no push service took alone, where that is wanted.
///
/// # Errors
/// When the database fails.
pub async fn latest(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    only_failed: bool,
    most: u64,
) -> Result<Vec<Push>, DbErr> {
    let mut found = row::Entity::find().filter(row::Column::SiteId.eq(site_id));
    if only_failed {
        found = failed(found);
    }
    found
        .order_by_desc(row::Column::CreatedAt)
        .order_by_desc(row::Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// How pushes fared.
#[derive(Debug, Default)]
pub struct Lately {
    /// Taken by push services.
    pub sent: u64,
    /// Taken by none, and what was said of the last of them.
    pub failed: u64,
    /// What was said of the last that failed.
    pub said: String,
}

/// How a site's pushes fared since then.
///
/// # Errors
/// When the database fails.
pub async fn lately(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    since: Moment,
) -> Result<Lately, DbErr> {
    let of_site = || {
        row::Entity::find()
            .filter(row::Column::SiteId.eq(site_id))
            .filter(row::Column::CreatedAt.gte(since))
    };
    let sent = of_site().filter(row::Column::SentAt.is_not_null());
    let last = failed(of_site())
        .order_by_desc(row::Column::CreatedAt)
        .one(db)
        .await?;
    Ok(Lately {
        sent: sent.count(db).await?,
        failed: failed(of_site()).count(db).await?,
        said: last.map_or_else(String::new, |push| push.said),
    })
}

/// Erases what these phones were told and are still to be told.
///
/// # Errors
/// When the database fails.
pub async fn erase(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    device_ids: &[Uuid],
) -> Result<(), DbErr> {
    outbox::discard(db, device_ids).await?;
    row::Entity::delete_many()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::DeviceId.is_in(device_ids.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}
