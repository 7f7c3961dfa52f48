//! What pushes are told of the sign-ons that they announce.

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::store;
use crate::{platform::clock::Moment, push::SignOns};

/// Tells pushes which sign-ons still wait.
pub struct Announced;

#[async_trait]
impl SignOns for Announced {
    async fn is_open(
        &self,
        db: &DatabaseConnection,
        site_id: Uuid,
        id: Uuid,
        now: Moment,
    ) -> Result<bool, DbErr> {
        let found = store::find_on_site(db, site_id, id).await?;
        Ok(found.is_some_and(|sign_on| sign_on.open(now).is_ok()))
    }
}
