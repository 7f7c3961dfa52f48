//! Retention: the oldest lines go, and the head remembers where the rest begins.

use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::{
    chain::{Chain, Place},
    store,
};
use crate::platform::{clock::Moment, db, keys::Keyring};

/// Lines removed by one transaction, which holds the site's head.
const BATCH: u64 = 500;

/// What became of an attempt to prune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// So many lines went; there may be more.
    Lines(u64),
    /// The oldest lines or the head are not as they were written: all of it stays, as evidence.
    Broken,
}

/// Removes lines of a site that are older than `before`, a batch of them, the oldest first. Only whole
/// beginnings of the chain go, and only what verifies: a line that was made to look old does not.
///
/// # Errors
/// When the database fails.
pub async fn prune(
    db: &DatabaseConnection,
    keys: &Keyring,
    site_id: Uuid,
    before: Moment,
) -> Result<Pruned, DbErr> {
    let Some(head) = store::find_head(db, site_id).await? else {
        return Ok(Pruned::Lines(0));
    };
    let oldest = store::lines_after(db, site_id, head.pruned.seq, 1).await?;
    if !oldest.iter().any(|line| line.content.created_at < before) {
        return Ok(Pruned::Lines(0));
    }
    let chain = Chain::of(keys, site_id);
    let transaction = db::begin(db).await?;
    let Some(mut head) = store::hold_head(&transaction, site_id).await? else {
        return Ok(Pruned::Lines(0));
    };
    if !chain.seal(&head.last, &head.pruned).is(&head.seal) {
        return Ok(Pruned::Broken);
    }
    let mut place: Place = head.pruned.clone();
    for line in store::lines_after(&transaction, site_id, place.seq, BATCH).await? {
        if line.content.created_at >= before {
            break;
        }
        let next = chain.next(&place, &line.content);
        if next.seq != line.seq || !next.hash.is(&line.hash) {
            return Ok(Pruned::Broken);
        }
        place = next;
    }
    let removed = store::remove_until(&transaction, site_id, place.seq).await?;
    head.pruned = place;
    head.seal = chain.seal(&head.last, &head.pruned);
    store::store_head(&transaction, site_id, &head).await?;
    transaction.commit().await?;
    Ok(Pruned::Lines(removed))
}
