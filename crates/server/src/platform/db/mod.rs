//! The database: one pool, one way to begin a writing transaction, and the only place that knows
//! SQLite from PostgreSQL.

mod claim;
mod forget;
mod migrations;
#[cfg(test)]
pub(crate) mod plans;
mod pooler;

pub use self::{
    claim::{Claim, Claimed},
    forget::{forget, forget_by},
    migrations::{Standing, newest, standing},
};

use std::{io::ErrorKind, path::PathBuf, str::FromStr, time::Duration};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    RuntimeErr, SqlErr, SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector,
    Statement, TransactionOptions, TransactionTrait,
};
use sqlx::{
    Connection, PgConnection,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use thiserror::Error;

use crate::platform::{clock::Moment, private_file};

/// How long a request waits for a connection to PostgreSQL: who asks should hear within two seconds
/// that the database is away.
const ACQUIRE: Duration = Duration::from_millis(1_800);

/// How long a request waits for a connection to SQLite, and a writer for another one.
const BUSY: Duration = Duration::from_secs(10);

/// How long PostgreSQL may take to answer at start.
const REACH: Duration = Duration::from_secs(5);

/// Why the database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nothing answers at the address.
    #[error("cannot reach PostgreSQL at {at}: {reason}")]
    Unreachable {
        /// Host and port, or the socket's folder.
        at: String,
        /// What the system says.
        reason: String,
    },
    /// Between here and PostgreSQL something lends each transaction another session.
    #[error(
        "a pooler in transaction mode answers at {0}, which gives each transaction another session of PostgreSQL, \
         so prepared statements and locks get lost: give PostgreSQL's own address, or set pool_mode=session \
         for this database (PgBouncer)"
    )]
    Pooler(String),
    /// A pooler does not know a setting that sessions are opened with.
    #[error(
        "a pooler answers at {at}, and says: {said}. Give PostgreSQL's own address, or name that parameter in \
         ignore_startup_parameters (PgBouncer)"
    )]
    Parameter {
        /// Host and port, or the socket's folder.
        at: String,
        /// What the pooler says.
        said: String,
    },
    /// The address cannot be understood, or what answers there refuses.
    #[error("cannot open the database: {0}")]
    Connect(#[from] sqlx::Error),
    /// A migration failed.
    #[error("cannot bring the database up to date: {0}")]
    Migrate(MigrateError),
    /// A later program has changed the schema.
    #[error(
        "the database was brought up to date by a newer axiam (migration {0}, and this one knows {known}): \
         run that version, or restore the backup that was made before it",
        known = newest()
    )]
    Newer(i64),
    /// The SQLite file or its folder cannot be made.
    #[error("cannot make {0}: {1}")]
    Folder(String, std::io::Error),
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            error => Self::Migrate(error),
        }
    }
}

/// The file of an embedded database.
#[must_use]
pub fn file(url: &str) -> Option<PathBuf> {
    if !url.starts_with("sqlite:") {
        return None;
    }
    let options = SqliteConnectOptions::from_str(url).ok()?;
    Some(options.get_filename().to_owned())
}

/// Opens the pool without touching the schema.
///
/// # Errors
/// When the address is wrong or nothing answers there.
pub async fn open(url: &str, max_connections: u32) -> Result<DatabaseConnection, OpenError> {
    if url.starts_with("sqlite:") {
        open_sqlite(url, max_connections).await
    } else {
        let options = postgres_options(url)?;
        reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    }
}

/// An IPv6 address stands in brackets in a URL; the system does not know it by those.
fn postgres_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?;
    let bare = options
        .get_host()
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    Ok(match bare.map(str::to_owned) {
        Some(host) => options.host(&host),
        None => options,
    })
}

/// Connects before the pool does. The pool would try again and again while nobody listens, and then only say that
/// its time was over.
async fn reach(options: &PgConnectOptions) -> Result<(), OpenError> {
    let at = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None if options.get_host().contains(':') => {
            format!("[{}]:{}", options.get_host(), options.get_port())
        }
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let looked = async {
        let mut one = PgConnection::connect_with(options).await?;
        let mut two = PgConnection::connect_with(options).await?;
        let lent = pooler::lends_sessions(&mut one, &mut two).await?;
        one.close().await?;
        two.close().await?;
        Ok(lent)
    };
    let unreachable = |reason: String| OpenError::Unreachable {
        at: at.clone(),
        reason,
    };
    match tokio::time::timeout(REACH, looked).await {
        Ok(Ok(false)) => Ok(()),
        Ok(Ok(true)) => Err(OpenError::Pooler(at)),
        Ok(Err(sqlx::Error::Io(error))) if error.kind() == ErrorKind::ConnectionRefused => {
            Err(unreachable("connection refused".into()))
        }
        Ok(Err(sqlx::Error::Io(error))) => Err(unreachable(error.to_string())),
        Ok(Err(sqlx::Error::Database(said))) if pooler::refuses_parameter(said.message()) => {
            Err(OpenError::Parameter {
                said: said.message().to_owned(),
                at,
            })
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(unreachable(format!(
            "no answer within {} s",
            REACH.as_secs()
        ))),
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
        private_file::make_folder(folder)
            .map_err(|error| OpenError::Folder(folder.display().to_string(), error))?;
    }
    private_file::make_empty(options.get_filename())
        .map_err(|error| OpenError::Folder(options.get_filename().display().to_string(), error))?;
    let pool = SqlitePoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(BUSY)
        .connect_with(options)
        .await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
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

/// Begins a transaction that reads everything as it is at one moment, however long it takes.
///
/// # Errors
/// When no connection can be had.
pub async fn snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let is_postgres = db.get_database_backend() == sea_orm::DbBackend::Postgres;
    db.begin_with_options(TransactionOptions {
        isolation_level: is_postgres.then_some(IsolationLevel::RepeatableRead),
        access_mode: is_postgres.then_some(AccessMode::ReadOnly),
        // In WAL mode a reader sees what was there at its first look.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
    })
    .await
}

/// Whether the database could not be asked, rather than said no: gone, stopping, or out of
/// connections.
#[must_use]
pub fn is_away(error: &DbErr) -> bool {
    // Class 08, and what PostgreSQL says when it has no room, stops or starts
    // (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    const STATES: [&str; 5] = ["53300", "57P01", "57P02", "57P03", "57P05"];
    let cause = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause.as_ref(),
        _ => return false,
    };
    match cause {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(said) => said
            .code()
            .is_some_and(|code| code.starts_with("08") || STATES.contains(&code.as_ref())),
        _ => false,
    }
}

/// Whether a write failed because the disk is full.
#[must_use]
pub fn is_full(error: &DbErr) -> bool {
    // SQLITE_FULL, SQLITE_IOERR_SHMSIZE (https://sqlite.org/rescode.html), and disk_full of PostgreSQL.
    const CODES: [&str; 3] = ["13", "4874", "53100"];
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    match cause.as_ref() {
        sqlx::Error::Database(said) => said
            .code()
            .is_some_and(|code| CODES.contains(&code.as_ref())),
        _ => false,
    }
}

/// Whether a write failed because another row has the same unique value.
#[must_use]
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether a write failed because a row that it refers to is gone.
#[must_use]
pub fn is_dangling(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(SqlErr::ForeignKeyConstraintViolation(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::{Overrides, Settings};

    #[tokio::test]
    async fn where_nobody_listens_the_address_is_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("postgres://ann:secret@{address}/axiam");
        let told = open(&url, 1).await.unwrap_err().to_string();
        assert_eq!(
            told,
            format!("cannot reach PostgreSQL at {address}: connection refused")
        );
    }

    #[test]
    fn an_ipv6_address_is_known_without_its_brackets() {
        let options = postgres_options("postgres://[::1]:5544/axiam").unwrap();
        assert_eq!((options.get_host(), options.get_port()), ("::1", 5544));
    }

    #[tokio::test]
    async fn the_data_folder_is_the_one_that_was_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a%2Fb", "a%20b", "a?b", "a b", "a#b", "b\u{fc}cher"] {
            let data_dir = folder.path().join(name);
            let settings = Settings::load(&Overrides {
                data_dir: Some(data_dir.clone()),
                ..Overrides::default()
            })
            .unwrap();
            let db = open(&settings.database_url(), 1).await.unwrap();
            db.close().await.unwrap();
            assert!(data_dir.join("axiam.db").is_file(), "{name}");
        }
    }
}
