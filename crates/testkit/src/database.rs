//! A database of its own for each test.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// The databases that Axiam runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a temporary folder.
    Sqlite,
    /// A schema in the server that `AXIAM_TEST_POSTGRES_URL` names.
    Postgres,
}

/// A database that is gone when this is dropped, or at the end of the test run.
pub struct Database {
    /// Its address, as the settings take it.
    pub url: String,
    folder: TempDir,
}

impl Database {
    /// Makes an empty database; `None` where there is no PostgreSQL to make it in.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn create(engine: Engine) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}/test.db", folder.path().display()),
            Engine::Postgres => {
                let Ok(server) = std::env::var("AXIAM_TEST_POSTGRES_URL") else {
                    crate::skipped("PostgreSQL; `make test` starts one");
                    return None;
                };
                let schema = format!("test_{}", Uuid::new_v4().simple());
                let db = server::platform::db::open(&server, 1)
                    .await
                    .expect("PostgreSQL answers");
                db.execute_unprepared(&format!("create schema {schema}"))
                    .await
                    .expect("a schema");
                db.close().await.expect("closed");
                let mark = if server.contains('?') { '&' } else { '?' };
                format!("{server}{mark}options=-csearch_path%3D{schema}")
            }
        };
        Some(Self { url, folder })
    }

    /// A folder that lives as long as the database.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Opens it and brings it up to date.
    ///
    /// # Panics
    /// When that fails.
    pub async fn open(&self) -> DatabaseConnection {
        let db = server::platform::db::open(&self.url, 4)
            .await
            .expect("the test database opens");
        server::platform::db::migrate(&db)
            .await
            .expect("the migrations run");
        db
    }
}
