//! A million attempts, as they come about: most end well, some fail, few at the number.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait, Value};
use server::platform::clock::{Clock, Moment};
use testkit::App;
use uuid::Uuid;

use crate::{ATTEMPTS, DAYS, PEOPLE};

/// Rows of a statement: of each row up to nine values, of which a statement may have 32,766.
const ROWS: u32 = 1000;

/// What was filled in, by which pages are asked for.
pub(crate) struct Filled {
    pub(crate) attempt: Uuid,
    pub(crate) person: Uuid,
    /// Where the older half begins, as it stands in an address.
    pub(crate) far: String,
}

impl Filled {
    pub(crate) async fn with(app: &App, site: Uuid) -> Self {
        let db = &app.app.state.db;
        let now = app.clock.now();
        let people: Vec<Uuid> = (0..PEOPLE).map(|_| Uuid::new_v4()).collect();
        fill(
            db,
            "clients (id, site_id, email, email_key, full_name, name_key, created_at)",
            PEOPLE,
            |n| {
                let (email, name) = (format!("person{n}@example.com"), format!("Person {n}"));
                let key = name.to_lowercase();
                let id = people[usize::try_from(n).expect("an index")];
                vec![
                    id.into(),
                    site.into(),
                    email.clone().into(),
                    email.into(),
                    name.into(),
                    key.into(),
                    now.into(),
                ]
            },
        )
        .await;
        let step = Duration::from_secs(u64::from(DAYS) * 86_400) / ATTEMPTS;
        let asked_at = |n: u32| now - step * n;
        let attempt = Uuid::new_v4();
        fill(
            db,
            "sign_ons (id, site_id, client_id, token_hash, state, failure, ip, created_at, expires_at, decided_at, \
             tries_left, choices, user_agent, browser, os, place)",
            ATTEMPTS,
            |n| {
                let (state, failure) = ended(n);
                let id = if n == 90 { attempt } else { Uuid::new_v4() };
                // Of some people there are many, of most a few dozen.
                let whose = spread(n) % PEOPLE / (1 + n % 3);
                let person = people[usize::try_from(whose).expect("an index")];
                let at: Moment = asked_at(n);
                let mut values: Vec<Value> = vec![
                    id.into(),
                    site.into(),
                    person.into(),
                    id.as_bytes().to_vec().into(),
                    state.into(),
                    failure.into(),
                    format!("192.0.2.{}", spread(n) % 250).into(),
                    at.into(),
                    at.into(),
                    (at + Duration::from_millis(u64::from(3000 + spread(n) % 20_000))).into(),
                ];
                values.extend([Value::from(3), serde_json::json!([]).into()]);
                values.extend(["Mozilla/5.0", "Firefox", "Linux", ""].map(Value::from));
                values
            },
        )
        .await;
        db.execute_unprepared("analyze").await.expect("analysed");
        Self {
            attempt,
            person: people[7777],
            far: format!(
                "{}.{}",
                asked_at(ATTEMPTS / 2).timestamp_micros(),
                Uuid::max()
            ),
        }
    }
}

/// Scatters numbers, the same each time (Knuth's multiplicative hashing).
fn spread(n: u32) -> u32 {
    n.wrapping_mul(2_654_435_761) >> 8
}

/// How an attempt ended: of a hundred 88 well, five failed, three each were denied and expired, one was taken back. The
/// number was wrong at one of a hundred that failed.
fn ended(n: u32) -> (&'static str, Option<i32>) {
    match n % 100 {
        0..88 => ("verified", None),
        88..93 if n % 10_000 == 90 => ("failed", Some(1042)),
        88..91 => ("failed", Some(1036)),
        91..93 => ("failed", Some(1037)),
        93..96 => ("denied", None),
        96..99 => ("expired", None),
        _ => ("cancelled", None),
    }
}

/// Inserts so many rows into a table with these columns.
async fn fill(db: &DatabaseConnection, table: &str, rows: u32, row: impl Fn(u32) -> Vec<Value>) {
    for first in (0..rows).step_by(ROWS as usize) {
        let mut values = Vec::new();
        let mut places = Vec::new();
        for n in first..rows.min(first + ROWS) {
            let begin = values.len();
            values.extend(row(n));
            let numbers: Vec<_> = (begin + 1..=values.len())
                .map(|n| format!("${n}"))
                .collect();
            places.push(format!("({})", numbers.join(", ")));
        }
        let sql = format!("insert into {table} values {}", places.join(", "));
        let transaction = db.begin().await.expect("a transaction");
        let insert = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        transaction.execute_raw(insert).await.expect("inserted");
        transaction.commit().await.expect("committed");
    }
}
