//! The migrations, paired: one name, one text for each engine.

use std::borrow::Cow;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

struct Pair {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! pair {
    ($version:literal, $name:literal) => {
        Pair {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!(
                "../../../../../migrations/postgres/",
                $name,
                ".sql"
            )),
        }
    };
}

const ALL: &[Pair] = &[
    pair!(1, "0001_first_sign_on"),
    pair!(2, "0002_face_references"),
    pair!(3, "0003_sessions"),
    pair!(4, "0004_telling"),
    pair!(5, "0005_erasure"),
    pair!(6, "0006_challenges"),
    pair!(7, "0007_test_identities"),
    pair!(8, "0008_audit_chain"),
    pair!(9, "0009_retention"),
    pair!(10, "0010_phones_on_trial"),
    pair!(11, "0011_notices"),
    pair!(12, "0012_secret_overlap"),
];

pub(super) fn sqlite() -> Migrator {
    migrator(|pair| pair.sqlite)
}

pub(super) fn postgres() -> Migrator {
    migrator(|pair| pair.postgres)
}

fn migrator(text: fn(&Pair) -> &'static str) -> Migrator {
    let migrations = ALL
        .iter()
        .map(|pair| {
            Migration::new(
                pair.version,
                Cow::Borrowed(pair.name),
                MigrationType::Simple,
                text(pair).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// How the schema of a database stands to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Every migration was applied, and no other.
    UpToDate,
    /// So many are still to be applied.
    Behind(usize),
    /// A later program applied this one, which is not known here.
    Ahead(i64),
}

/// The newest migration that this program knows.
#[must_use]
pub fn newest() -> i64 {
    ALL.iter().map(|pair| pair.version).max().unwrap_or(0)
}

/// Compares what was applied with what is known; changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn standing(db: &DatabaseConnection) -> Result<Standing, DbErr> {
    let backend = db.get_database_backend();
    let table = match backend {
        DbBackend::Postgres => {
            "select 1 as found where to_regclass('_sqlx_migrations') is not null"
        }
        _ => "select 1 as found from sqlite_master where name = '_sqlx_migrations'",
    };
    if db
        .query_one_raw(Statement::from_string(backend, table))
        .await?
        .is_none()
    {
        return Ok(Standing::Behind(ALL.len()));
    }
    let applied = "select version from _sqlx_migrations where success";
    let rows = db
        .query_all_raw(Statement::from_string(backend, applied))
        .await?;
    let applied: Vec<i64> = rows
        .iter()
        .map(|row| row.try_get("", "version"))
        .collect::<Result<_, _>>()?;
    let unknown = applied
        .iter()
        .filter(|version| ALL.iter().all(|pair| pair.version != **version));
    if let Some(version) = unknown.max() {
        return Ok(Standing::Ahead(*version));
    }
    let pending = ALL
        .iter()
        .filter(|pair| !applied.contains(&pair.version))
        .count();
    Ok(match pending {
        0 => Standing::UpToDate,
        pending => Standing::Behind(pending),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_and_this_list_hold_the_same_names() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let listed: Vec<String> = ALL
            .iter()
            .map(|pair| format!("{}.sql", pair.name))
            .collect();
        for engine in ["sqlite", "postgres"] {
            let mut files: Vec<String> = std::fs::read_dir(format!("{root}/{engine}"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            assert_eq!(files, listed, "{engine}");
        }
    }

    #[test]
    fn both_engines_have_the_same_tables_and_columns() {
        let columns = |text: &str| -> Vec<String> {
            text.lines()
                .filter_map(
                    |line| match line.split_whitespace().collect::<Vec<_>>()[..] {
                        ["create", "table", name, ..] => Some(format!("table {name}")),
                        [name, ..] if line.starts_with("    ") => Some(name.to_owned()),
                        _ => None,
                    },
                )
                .collect()
        };
        for pair in ALL {
            assert_eq!(
                columns(pair.sqlite),
                columns(pair.postgres),
                "{}",
                pair.name
            );
        }
    }
}
