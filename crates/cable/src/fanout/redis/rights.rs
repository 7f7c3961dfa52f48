//! Whether a user of Redis may do all that is needed: tried before it matters, on keys of no use.

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult};

use super::error::ConnectError;
use super::script;
use super::shared::{milliseconds, new_epoch};
use crate::history::HistoryOptions;

/// Fails where something is not allowed.
pub(super) async fn check(client: &Client, prefix: &str) -> Result<(), ConnectError> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    let keys: [String; 4] = {
        let run = new_epoch();
        ["log", "head", "once", "session"].map(|kind| format!("{prefix}:check:{run}:{kind}"))
    };
    let tried = try_all(&mut connection, prefix, &keys).await;
    // Most of it would be forgotten in time; where it may not be removed, that is what is told.
    let removed: RedisResult<u64> = redis::cmd("DEL")
        .arg(&keys)
        .query_async(&mut connection)
        .await;
    tried
        .and(removed.map(|_| ()))
        .map_err(|error| judge(error, prefix))
}

async fn try_all(
    connection: &mut MultiplexedConnection,
    prefix: &str,
    [log, head, once, session]: &[String; 4],
) -> RedisResult<()> {
    let channel = format!("{prefix}:log");
    connection.subscribe(&channel).await?;
    connection.unsubscribe(&channel).await?;
    // Announces nothing.
    let _: u64 = redis::cmd("PUBLISH")
        .arg(&channel)
        .arg("")
        .query_async(connection)
        .await?;
    let _: (String, u64) = script::HEAD
        .key(head)
        .arg(new_epoch())
        .arg("")
        .invoke_async(connection)
        .await?;
    let _: () = script::PUBLISH
        .key(log)
        .key(head)
        .key(once)
        .arg("")
        .arg(0)
        .arg(new_epoch())
        .arg(milliseconds(HistoryOptions::default().ttl))
        .invoke_async(connection)
        .await?;
    let mut pipe = redis::pipe();
    pipe.cmd("XREAD")
        .arg("COUNT")
        .arg(1)
        .arg("STREAMS")
        .arg(log)
        .arg("0")
        .ignore();
    pipe.cmd("SET")
        .arg(session)
        .arg("")
        .arg("PX")
        .arg(1000)
        .ignore();
    pipe.cmd("PEXPIRE").arg(session).arg(1000).ignore();
    pipe.cmd("GET").arg(session).ignore();
    pipe.query_async(connection).await
}

/// What a refusal by Redis' ACLs says, in a script as well as outside of one.
fn judge(error: RedisError, prefix: &str) -> ConnectError {
    let text = error.to_string();
    let in_a_script = ["can't run this command", "can't access at least one"];
    let refused = error.code() == Some("NOPERM")
        || text.contains("NOPERM")
        || in_a_script.iter().any(|words| text.contains(words));
    if refused {
        ConnectError::Rights {
            detail: text,
            prefix: prefix.to_owned(),
        }
    } else {
        error.into()
    }
}
