//! How the databases go about a question, for tests that hold them to their indexes.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

use super::{migrate, open};

/// A database of each engine that there is, empty and up to date, with the folder that it lives in.
pub(crate) async fn databases() -> Vec<(DatabaseConnection, tempfile::TempDir)> {
    let folder = || tempfile::tempdir().unwrap();
    let here = folder();
    let url = format!("sqlite://{}/plans.db", here.path().display());
    let mut found = vec![(open(&url, 1).await.unwrap(), here)];
    if let Ok(server) = std::env::var("AXIAM_TEST_POSTGRES_URL") {
        let schema = format!("test_{}", Uuid::new_v4().simple());
        let db = open(&server, 1).await.unwrap();
        let create = format!("create schema {schema}");
        db.execute_unprepared(&create).await.unwrap();
        db.close().await.unwrap();
        let mark = if server.contains('?') { '&' } else { '?' };
        let db = open(
            &format!("{server}{mark}options=-csearch_path%3D{schema}"),
            1,
        )
        .await;
        found.push((db.unwrap(), folder()));
    }
    for (db, _) in &found {
        migrate(db).await.unwrap();
        if db.get_database_backend() == DbBackend::Postgres {
            // Tables are empty, so going through them would be cheapest: whether it can be done otherwise is asked.
            for way in ["enable_seqscan", "enable_bitmapscan"] {
                let off = format!("set {way} = off");
                db.execute_unprepared(&off).await.unwrap();
            }
        }
    }
    found
}

/// How a question would be gone about, in the engine's own words.
pub(crate) async fn plan(db: &DatabaseConnection, question: &Statement) -> String {
    let (how, column) = match db.get_database_backend() {
        DbBackend::Postgres => ("explain", "QUERY PLAN"),
        _ => ("explain query plan", "detail"),
    };
    let mut asked = question.clone();
    asked.sql = format!("{how} {}", question.sql);
    let rows = db.query_all_raw(asked).await.unwrap();
    let lines = rows
        .iter()
        .map(|row| row.try_get::<String>("", column).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a plan goes through a whole table or index.
pub(crate) fn goes_through_all(plan: &str) -> bool {
    plan.lines()
        .any(|line| line.trim_start().starts_with("SCAN ") || line.contains("Seq Scan"))
}

/// Whether a plan puts rows in order after they were read.
pub(crate) fn sorts(plan: &str) -> bool {
    plan.contains("TEMP B-TREE") || plan.contains("Sort")
}
