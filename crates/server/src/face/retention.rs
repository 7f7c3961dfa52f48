//! Records of consent that prove nothing any more.

use sea_orm::{DatabaseConnection, DbErr};

use crate::platform::{clock::Moment, db};

/// Forgets records of consent that was withdrawn before this moment, or that is older and was given anew
/// since, a batch of them; whether that was all.
///
/// # Errors
/// When the database fails.
pub async fn forget_consents(db: &DatabaseConnection, before: Moment) -> Result<bool, DbErr> {
    const FORGET: &str = "\
        delete from consents where id in (select c.id from consents c \
        where c.withdrawn_at < $1 or (c.created_at < $1 and exists (select 1 from consents n \
          where n.client_id = c.client_id and n.created_at > c.created_at)) \
        limit $2)";
    db::forget_by(db, FORGET, before).await
}
