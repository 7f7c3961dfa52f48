//! What pushes ask of the sign-ons that they tell of.

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use crate::platform::clock::Moment;

/// Knows sign-ons: the slice above, which this one may not name, and which the courier is given where all is put
/// together.
#[async_trait]
pub trait SignOns: Send + Sync {
    /// Whether a site's sign-on still waits for its answer.
    ///
    /// # Errors
    /// When the database fails.
    async fn is_open(
        &self,
        db: &DatabaseConnection,
        site_id: Uuid,
        id: Uuid,
        now: Moment,
    ) -> Result<bool, DbErr>;
}
