//! The database: one pool, one way to begin a writing transaction, and the only place that knows
//! SQLite from PostgreSQL.

mod migrations;

use std::{path::Path, str::FromStr, time::Duration};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    SqlErr, SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, Statement,
    TransactionOptions, TransactionTrait,
};
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use thiserror::Error;

use crate::platform::clock::Moment;

/// How long a request waits for a connection before it fails.
const ACQUIRE: Duration = Duration::from_secs(10);

/// How long a SQLite writer waits for another one.
const BUSY: Duration = Duration::from_secs(10);

/// Why the database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address cannot be understood or reached.
    #[error("cannot open the database: {0}")]
    Connect(#[from] sqlx::Error),
    /// A migration failed, or the database was written by a newer program.
    #[error("cannot bring the database up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The SQLite file or its folder cannot be made.
    #[error("cannot make {0}: {1}")]
    Folder(String, std::io::Error),
}

/// Opens the pool without touching the schema.
///
/// # Errors
/// When the address is wrong or nothing answers there.
pub async fn open(url: &str, max_connections: u32) -> Result<DatabaseConnection, OpenError> {
    if url.starts_with("sqlite:") {
        open_sqlite(url, max_connections).await
    } else {
        let options = PgConnectOptions::from_str(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    }
}

async fn open_sqlite(url: &str, max_connections: u32) -> Result<DatabaseConnection, OpenError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY);
    if let Some(folder) = options.get_filename().parent() {
        make_private_folder(folder)
            .map_err(|error| OpenError::Folder(folder.display().to_string(), error))?;
    }
    make_private_file(options.get_filename())
        .map_err(|error| OpenError::Folder(options.get_filename().display().to_string(), error))?;
    let pool = SqlitePoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE)
        .connect_with(options)
        .await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Makes a folder that only the program's own user may open.
///
/// # Errors
/// When the folder is missing and cannot be made.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.as_os_str().is_empty() || folder.exists() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Makes an empty file that only the program's own user may open, unless it is there; SQLite gives
/// its mode to the files beside it.
fn make_private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .map(|_| ())
}

/// Brings the schema up to date; several servers may start at once.
///
/// # Errors
/// When a migration fails or was changed after it was applied.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), OpenError> {
    match db.get_database_backend() {
        sea_orm::DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool();
            migrations::postgres().run(pool).await?;
        }
        _ => {
            let pool = db.get_sqlite_connection_pool();
            migrations::sqlite().run(pool).await?;
        }
    }
    Ok(())
}

/// What time it is for the database's own machine; `None` for SQLite, which has none.
///
/// # Errors
/// When the database fails.
pub async fn clock(db: &DatabaseConnection) -> Result<Option<Moment>, DbErr> {
    if db.get_database_backend() != sea_orm::DbBackend::Postgres {
        return Ok(None);
    }
    let read = Statement::from_string(db.get_database_backend(), "select clock_timestamp() as now");
    let row = db.query_one_raw(read).await?;
    row.map(|row| row.try_get("", "now")).transpose()
}

/// Begins a transaction that will write. On SQLite it takes the write lock at once: a deferred one
/// would fail instead of waiting when two of them turn from reading to writing.
///
/// # Errors
/// When no connection can be had.
pub async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        isolation_level: None::<IsolationLevel>,
        access_mode: None::<AccessMode>,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    })
    .await
}

/// Whether a write failed because another row has the same unique value.
#[must_use]
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
