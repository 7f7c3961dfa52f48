//! An enrolment and its errors.

use sea_orm::{DeriveActiveEnum, EnumIter, entity::prelude::*};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{client::ClientError, platform::qr::DrawingError};

/// The right to pair one phone, named by a secret in a QR code.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolments")]
pub struct Model {
    /// Id of the code; the token itself is not kept.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site that asked for it.
    pub site_id: Uuid,
    /// Whose phone it will be.
    pub client_id: Uuid,
    /// SHA-256 of the token in the code.
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    /// What the site asked for.
    pub flow_type: FlowType,
    /// The end of its life.
    pub expires_at: DateTimeUtc,
    /// When a phone used it.
    pub used_at: Option<DateTimeUtc>,
    /// When the site asked for it.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Enrolment;

/// What the code is for: another phone of someone enrolled, or a new enrolment that may take the
/// place of an older face.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "lowercase")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum FlowType {
    /// Pair a phone; a face that is there must be matched by a new one.
    #[sea_orm(string_value = "login")]
    Login,
    /// The person enrols a face, replacing one that is there.
    #[sea_orm(string_value = "signup")]
    Signup,
}

impl FlowType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Signup => "signup",
        }
    }
}

/// What can go wrong with an enrolment.
#[derive(Debug, Error)]
pub enum EnrolmentError {
    /// Unknown, expired or used.
    #[error("the enrolment token is unknown, expired or used")]
    Invalid,
    /// The QR code could not be drawn.
    #[error(transparent)]
    Drawing(#[from] DrawingError),
    /// The client is gone meanwhile.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}
