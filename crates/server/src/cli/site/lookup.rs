//! The site that the operator names.

use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::{
    cli::CommandError,
    site::{self, Site},
};

/// The site of this id, or a sentence that says where to find ids.
pub(in crate::cli) async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Site, CommandError> {
    let missing = || format!("there is no site {id}; `axiam site list` shows them");
    Ok(site::find(db, id).await?.ok_or_else(missing)?)
}
