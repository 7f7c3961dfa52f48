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
    pair!(13, "0013_decoys"),
    pair!(14, "0014_outbox"),
    pair!(15, "0015_site_tokens"),
    pair!(16, "0016_site_secrets"),
    pair!(17, "0017_accounts"),
    pair!(18, "0018_login_tracker"),
    pair!(19, "0019_mail"),
    pair!(20, "0020_pushes"),
    pair!(21, "0021_push_accounts"),
    pair!(22, "0022_ways_in"),
    pair!(23, "0023_passkeys"),
    pair!(24, "0024_tracker_time"),
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
    use std::collections::BTreeMap;

    use sqlx::sqlite::SqlitePoolOptions;

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

    type Tables = BTreeMap<String, Vec<String>>;

    /// What the statements of a migration make of the tables: their columns in order, without types.
    fn apply(tables: &mut Tables, text: &str) {
        let mut open = None;
        for line in text.lines() {
            let line = line.replace('(', " ( ");
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["create", "table", name, ..] => {
                    tables.insert(name.to_owned(), Vec::new());
                    open = line.ends_with("( ").then(|| name.to_owned());
                }
                ["drop", "table", name] => drop(tables.remove(name.trim_end_matches(';'))),
                ["alter", "table", name, "rename", "to", other] => {
                    let columns = tables.remove(name).unwrap();
                    tables.insert(other.trim_end_matches(';').to_owned(), columns);
                }
                ["alter", "table", name, "add", "column", column, ..] => {
                    tables.get_mut(name).unwrap().push(column.to_owned());
                }
                ["alter", "table", name, "drop", "column", column] => {
                    let column = column.trim_end_matches(';');
                    tables.get_mut(name).unwrap().retain(|one| one != column);
                }
                [
                    "primary" | "unique" | "constraint" | "check" | "foreign",
                    ..,
                ] => {}
                [name, ..] if line.starts_with("    ") => {
                    if let Some(table) = &open {
                        tables.get_mut(table).unwrap().push(name.to_owned());
                    }
                }
                _ => open = None,
            }
        }
    }

    #[test]
    fn both_engines_have_the_same_tables_and_columns_after_each() {
        let (mut sqlite, mut postgres) = (Tables::new(), Tables::new());
        for pair in ALL {
            apply(&mut sqlite, pair.sqlite);
            apply(&mut postgres, pair.postgres);
            assert_eq!(sqlite, postgres, "{}", pair.name);
        }
        assert_eq!(sqlite["sign_ons"].last().unwrap(), "liveness");
        assert_eq!(sqlite["pushes"].len(), 11);
    }

    /// A table of SQLite's that is made anew keeps its rows, and what refers to it.
    #[tokio::test]
    async fn sign_ons_and_their_pushes_outlive_the_change_of_their_tables() {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        sqlite().run_to(12, &pool).await.unwrap();
        let rows = "
            insert into sites (id, name, domain, api_key, secret_hash, channel_prefix, settings, tokens_not_before, created_at)
              values (x'01', '', '', '', x'', '', '{}', '', '');
            insert into clients (id, site_id, email, email_key, full_name, created_at) values (x'02', x'01', '', '', '', '');
            insert into devices (id, site_id, client_id, name, platform, thumbprint, token_hash, token_expires_at, push,
                flow_type, may_replace_face, created_at, last_seen_at)
              values (x'03', x'01', x'02', '', '', '', x'', '', '', '', 0, '', '');
            insert into sign_ons (id, site_id, client_id, token_hash, state, tries_left, choices, ip, user_agent, browser,
                os, place, created_at, expires_at, told_at, challenge_at, test_identity)
              values (x'04', x'01', x'02', x'', 'pending', 3, '[]', '', '', '', '', '', '', '', 'told', 'asked', 'approve');
            insert into pushes (id, site_id, device_id, sign_on_id, kind, state, attempts, next_at, created_at)
              values (x'05', x'01', x'03', x'04', 'none', 'inbox', 0, '', '');";
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
        // Pushes of later versions begin anew.
        sqlite().run_to(19, &pool).await.unwrap();
        let joined = "select s.told_at, s.challenge_at, s.test_identity, s.decoy from pushes p
            join sign_ons s on s.id = p.sign_on_id";
        let kept: (String, String, String, bool) =
            sqlx::query_as(joined).fetch_one(&pool).await.unwrap();
        let kept = (kept.0.as_str(), kept.1.as_str(), kept.2.as_str(), kept.3);
        assert_eq!(kept, ("told", "asked", "approve", false));
        let orphan = sqlx::raw_sql("delete from sign_ons").execute(&pool).await;
        assert!(orphan.is_err(), "pushes still refer to their sign-ons");
        let decoy = "delete from pushes; update sign_ons set decoy = 1, state = 'verified'";
        assert!(sqlx::raw_sql(decoy).execute(&pool).await.is_err());
    }
}
