//! Whether the database's disk has room. A full one answers questions as always, so it is written to.

use std::time::Duration;

use rand::RngExt as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use tokio::{sync::Mutex, time::Instant};

use crate::platform::{clock::Moment, db, notices};

/// How long an answer is good for: whoever asks does not have the disk written to each time.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// Bytes that are written, in hexadecimal. More than one request needs, so that this fails first.
const BYTES: usize = 32 * 1024;

/// Knows whether there is room, for as long as that is likely to be true.
#[derive(Debug, Default)]
pub struct Room(Mutex<Option<(Instant, bool)>>);

impl Room {
    /// Whether the disk is full. Where it cannot be told, because the database is away or does not let
    /// this be tried, it is not.
    pub async fn is_missing(&self, db: &DatabaseConnection, now: Moment) -> bool {
        let mut known = self.0.lock().await;
        if let Some((at, missing)) = *known
            && at.elapsed() < GOOD_FOR
        {
            return missing;
        }
        let missing = match write(db, now).await {
            Err(error) if db::is_full(&error) => {
                tracing::error!(%error, "the database's disk is full");
                true
            }
            Err(error) => {
                tracing::debug!(%error, "whether the database's disk has room cannot be told");
                false
            }
            Ok(()) => false,
        };
        *known = Some((Instant::now(), missing));
        missing
    }
}

async fn write(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        // A table of its own that nobody sees makes files grow, however much room others hold unused,
        // and leaves nothing.
        let write = format!(
            "create temporary table axiam_room on commit drop as \
             select gen_random_uuid() as filler from generate_series(1, {})",
            BYTES / 16
        );
        let transaction = db.begin().await?;
        transaction.execute_unprepared(&write).await?;
        return transaction.rollback().await;
    }
    let mut filler = vec![0_u8; BYTES];
    rand::rng().fill(&mut filler[..]);
    notices::put(db, notices::ROOM, hex::encode(filler), now).await
}
