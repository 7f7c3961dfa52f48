//! What failed last on some sites, without attempts at which nobody was asked. Of each site the newest are read from an
//! index of failures, many sites with one question, so that the first page of whoever has many apps is quick too.

use std::cmp::Reverse;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::{platform::clock::Moment, sign_on::model::SignOn};

/// Sites of one question; SQLite takes 500 parts.
const SITES: usize = 200;

/// The last failures on these sites since then, the newest first.
pub(in crate::sign_on) async fn failures(
    db: &impl ConnectionTrait,
    sites: &[Uuid],
    since: Moment,
    most: u32,
) -> Result<Vec<SignOn>, DbErr> {
    let mut rows = Vec::new();
    for some in sites.chunks(SITES) {
        let question = question(db.get_database_backend(), some, since, most);
        let found = db.query_all_raw(question).await?;
        for row in found {
            rows.push(SignOn::from_query_result(&row, "")?);
        }
    }
    rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
    rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(rows)
}

/// The newest of each site.
pub(super) fn question(backend: DbBackend, sites: &[Uuid], since: Moment, most: u32) -> Statement {
    // In the words of the index, which no value may stand in for.
    const FAILED: &str = "not decoy and state in ('failed', 'denied', 'expired')";
    let part = |at: usize| {
        let site = at + 2;
        format!(
            "select * from (select * from sign_ons where site_id = ${site} and created_at >= $1 and {FAILED} \
             order by created_at desc, id desc limit {most}) as of_{at}"
        )
    };
    let parts: Vec<String> = (0..sites.len()).map(part).collect();
    let mut values = vec![Value::from(since)];
    values.extend(sites.iter().map(|site| Value::from(*site)));
    Statement::from_sql_and_values(backend, parts.join(" union all "), values)
}
