//! What can be wrong with the keys.

use sea_orm::{DbErr, entity::prelude::Uuid};
use thiserror::Error;

/// Why the keys cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The master key's file cannot be read or written.
    #[error("master key file {file}: {reason}")]
    File {
        /// The file in question, as it was asked for.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database has keys, and the file that opens them is not there.
    #[error(
        "master key file {0} is missing: the keys in this database were sealed under it. Put it \
         back from the backup, or name its place (keys.master, AXIAM_KEYS_MASTER)"
    )]
    MasterMissing(String),
    /// The database's keys were sealed under another master key.
    #[error(
        "the master key does not open this database's keys: use the master.key file that this database was made with"
    )]
    OtherMaster,
    /// A key is not what it should be.
    #[error("key {0} is damaged")]
    Damaged(String),
    /// Something names a key that is not there.
    #[error("key {0} is not there")]
    Missing(Uuid),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}
