//! The link for the first account, which `axiam serve` prints.

use sea_orm::DatabaseConnection;

use super::CommandError;
use crate::{
    account,
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
    },
};

/// The link for the first account, while there is none; made anew at each start.
pub(super) async fn link(
    settings: &Settings,
    db: &DatabaseConnection,
    keys: &Keyring,
) -> Result<Option<String>, CommandError> {
    if account::any(db).await? {
        return Ok(None);
    }
    let token = account::offer(db, keys, None, SystemClock.now()).await?;
    Ok(Some(format!(
        "{}/dashboard/set-up?token={}",
        settings.public_url(),
        token.reveal()
    )))
}
