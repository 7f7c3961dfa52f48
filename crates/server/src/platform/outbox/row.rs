//! A parcel as it is stored.

use sea_orm::{DeriveActiveEnum, EnumIter, entity::prelude::*};

/// Something that somebody outside is to be told.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Names this parcel: one for each of those who are told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site that it is about, if it is about one.
    pub site_id: Option<Uuid>,
    /// Whose business it is, of the couriers.
    pub kind: String,
    /// Who is told: what has an address.
    pub target_id: Uuid,
    /// What it tells of; the same for all who are told of it.
    pub subject_id: Uuid,
    /// What happened, in a word.
    pub topic: String,
    /// What is said.
    pub body: String,
    /// What became of it.
    pub state: Stage,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is due; of one that is under way, when the lease ends.
    pub next_at: DateTimeUtc,
    /// Whoever carries it now.
    pub lease: Option<Uuid>,
    /// What came of the last attempt, for people.
    pub said: String,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// When it is of no more use.
    pub expires_at: DateTimeUtc,
    /// When it was delivered, or given up.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What became of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Stage {
    /// To be delivered, or under way.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// Taken by the other side.
    #[sea_orm(string_value = "delivered")]
    Delivered,
    /// Given up.
    #[sea_orm(string_value = "dead")]
    Dead,
}

impl Stage {
    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}
