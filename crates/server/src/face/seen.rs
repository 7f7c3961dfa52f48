//! Frames that were sent before. Life cannot be proved twice by one picture, so what a client's frames
//! looked like is kept for a while, sealed.

use ::face::Fingerprint;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use super::{model::FaceError, sealed::Owner};
use crate::platform::{
    clock::{Moment, seconds},
    keys::Keyring,
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "seen_frames")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub client_id: Uuid,
        /// The challenge that the frames answered.
        pub challenge_hash: Vec<u8>,
        /// Their fingerprints, one after the other.
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How long a frame is remembered, seconds: 90 days.
const KEPT_FOR: u32 = 90 * 24 * 3600;
/// Most answers of one client that are looked through, the newest; more than two a day.
const MOST: u64 = 200;
/// Bytes of a fingerprint.
const ONE: usize = 64;

/// Remembers the frames of an answer to the challenge of this hash; `false` if any of them, or a near copy,
/// was sent by or for this client before. The same answer may arrive twice.
pub(super) async fn remember(
    db: &DatabaseConnection,
    keys: &Keyring,
    owner: Owner,
    challenge_hash: Vec<u8>,
    frames: &[Fingerprint],
    now: Moment,
) -> Result<bool, FaceError> {
    let before = row::Entity::find()
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .filter(row::Column::ChallengeHash.ne(challenge_hash.clone()))
        .filter(row::Column::CreatedAt.gt(now - seconds(KEPT_FOR)))
        .order_by_desc(row::Column::CreatedAt)
        .limit(MOST)
        .all(db)
        .await?;
    for row in before {
        let known = open(keys, owner, row.id, &row.sealed)?;
        if known
            .iter()
            .any(|old| frames.iter().any(|new| new.is_copy_of(old)))
        {
            return Ok(false);
        }
    }
    let id = Uuid::new_v4();
    row::Entity::insert(row::ActiveModel {
        id: Set(id),
        site_id: Set(owner.site_id),
        client_id: Set(owner.client_id),
        challenge_hash: Set(challenge_hash),
        sealed: Set(seal(keys, owner, id, frames)?),
        created_at: Set(now),
    })
    .exec_without_returning(db)
    .await?;
    Ok(true)
}

/// Forgets frames that were seen too long ago.
///
/// # Errors
/// When the database fails.
pub async fn forget_frames(db: &impl ConnectionTrait, now: Moment) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::CreatedAt.lte(now - seconds(KEPT_FOR)))
        .exec(db)
        .await?;
    Ok(())
}

/// What the sealed bytes are bound to.
fn about(owner: Owner, id: Uuid) -> Vec<u8> {
    let ids = [owner.site_id, owner.client_id, id];
    ids.iter().flat_map(|id| *id.as_bytes()).collect()
}

fn seal(
    keys: &Keyring,
    owner: Owner,
    id: Uuid,
    frames: &[Fingerprint],
) -> Result<Vec<u8>, FaceError> {
    let plain: Vec<u8> = frames.iter().flat_map(|frame| *frame.as_bytes()).collect();
    keys.frames_key()
        .sealing()?
        .seal(&about(owner, id), &plain)
        .map_err(|error| FaceError::Sealed(error.to_string()))
}

fn open(
    keys: &Keyring,
    owner: Owner,
    id: Uuid,
    sealed: &[u8],
) -> Result<Vec<Fingerprint>, FaceError> {
    let plain = keys
        .frames_key()
        .sealing()?
        .open(&about(owner, id), sealed)
        .map_err(|error| FaceError::Sealed(error.to_string()))?;
    Ok(plain
        .chunks_exact(ONE)
        .filter_map(Fingerprint::from_bytes)
        .collect())
}
