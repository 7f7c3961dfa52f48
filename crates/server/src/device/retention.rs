//! Phones that nobody has any more.

use sea_orm::{DatabaseConnection, DbErr};

use crate::platform::{clock::Moment, db};

/// Forgets phones that were unpaired, or whose token ended, before this moment, a batch of them; whether that
/// was all. Those that a sign-on or a face names stay as long as it does.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, before: Moment) -> Result<bool, DbErr> {
    const FORGET: &str = "\
        delete from devices where id in (select d.id from devices d \
        where (d.revoked_at < $1 or d.token_expires_at < $1) \
          and not exists (select 1 from sign_ons s where s.device_id = d.id) \
          and not exists (select 1 from face_references f where f.device_id = d.id) \
          and not exists (select 1 from pushes p where p.device_id = d.id) \
        limit $2)";
    db::forget_by(db, FORGET, before).await
}
