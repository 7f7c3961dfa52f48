//! Poolers between the program and PostgreSQL.

use sqlx::{Executor, PgConnection, Row};

/// Whether two connections are given sessions of PostgreSQL by the transaction: then one of them answers for
/// both, or what answers one changes while the other holds a transaction open.
///
/// Asked without prepared statements, which such poolers lose.
///
/// # Errors
/// When nobody answers.
pub(super) async fn lends_sessions(
    one: &mut PgConnection,
    two: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let first = session(one).await?;
    if two.execute(sqlx::raw_sql("begin")).await.is_err() {
        // PgBouncer that lends by the statement refuses this.
        return Ok(true);
    }
    let second = session(two).await?;
    let again = session(one).await?;
    two.execute(sqlx::raw_sql("rollback")).await?;
    Ok(first == second || first != again)
}

/// Whether this is what PgBouncer says of a parameter that it does not pass on.
pub(super) fn refuses_parameter(message: &str) -> bool {
    message.contains("unsupported startup parameter")
}

/// The process of PostgreSQL that answers.
async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let row = connection
        .fetch_one(sqlx::raw_sql("select pg_backend_pid()"))
        .await?;
    row.try_get(0)
}
