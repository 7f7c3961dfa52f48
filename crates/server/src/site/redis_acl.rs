//! Sites' users in Redis: what they may do, and that it is nothing else (Redis' ACLs, version 6.2
//! and later).

use std::collections::HashMap;

use redis::{ErrorKind, RedisError, RedisResult, Value, aio::ConnectionLike};

use super::redis_user::RedisUser;
use crate::platform::secret::{self, public_name};

/// The commands of a listener, with those that clients of Redis send by themselves when they connect.
/// Anything that reads or writes a key, publishes, or tells of others is missing.
const COMMANDS: [&str; 10] = [
    "+subscribe",
    "+psubscribe",
    "+unsubscribe",
    "+punsubscribe",
    "+ping",
    "+hello",
    "+auth",
    "+quit",
    "+client|setname",
    "+client|id",
];

/// What Redis knows since 7.2 and refuses to hear of before; clients send it and mind no refusal.
const SINCE_7_2: &str = "+client|setinfo";

/// Rails' Action Cable keeps its connection open with a subscription to this channel, whatever its
/// `channel_prefix`; it never publishes there.
const RAILS_KEEPALIVE: &str = "&_action_cable_internal";

/// Makes a user who may do nothing, and removes it.
///
/// # Errors
/// When Redis does not answer, or does not let us.
pub async fn check(connection: &mut impl ConnectionLike) -> RedisResult<()> {
    let name = public_name("axiam-check-", 8);
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg(&name).arg("off");
    let () = command.query_async(connection).await?;
    let mut command = redis::cmd("ACL");
    let _: u64 = command
        .arg("DELUSER")
        .arg(&name)
        .query_async(connection)
        .await?;
    Ok(())
}

/// Makes a user as it should be; with a `changed` password those who are connected are sent away.
///
/// # Errors
/// When Redis does not answer, or does not let us.
pub async fn allow(
    connection: &mut impl ConnectionLike,
    user: &RedisUser,
    channel_prefix: &str,
    changed: bool,
) -> RedisResult<()> {
    if changed {
        remove(connection, user).await?;
    }
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg(&user.name);
    command.arg(&["reset", "on", "resetkeys", "resetchannels", "-@all"]);
    command.arg(format!("#{}", hex::encode(&user.password_hash)));
    command
        .arg(format!("&{channel_prefix}:*"))
        .arg(RAILS_KEEPALIVE);
    command.arg(&COMMANDS);
    let () = command.query_async(connection).await?;
    let mut newer = redis::cmd("ACL");
    newer.arg("SETUSER").arg(&user.name).arg(SINCE_7_2);
    match newer.query_async(connection).await {
        Err(error) if is_refusal(&error) => Ok(()),
        answer => answer,
    }
}

/// A user, as it is found in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// With its password and exactly its rights.
    AsItShould,
    /// Redis does not know it.
    Missing,
    /// It is off, or has another password, or other rights.
    Differs,
    /// Redis does not let us look.
    Hidden(String),
}

/// Looks whether a user is as [`allow`] makes it: beside one that is made so for the comparison, which nobody can use, and
/// taken away again. How rights are written differs from one version of Redis to the next.
///
/// # Errors
/// When Redis does not answer, or does not let us make users.
pub async fn standing(
    connection: &mut impl ConnectionLike,
    user: &RedisUser,
    channel_prefix: &str,
) -> RedisResult<Standing> {
    let twin = RedisUser {
        name: public_name("axiam-check-", 8),
        password_hash: secret::hash(&public_name("", 32)),
        ..user.clone()
    };
    allow(connection, &twin, channel_prefix, false).await?;
    let compared = compare(connection, user, &twin).await;
    remove(connection, &twin).await?;
    match compared {
        Err(error) if is_refusal(&error) => Ok(Standing::Hidden(error.to_string())),
        compared => compared,
    }
}

async fn compare(
    connection: &mut impl ConnectionLike,
    user: &RedisUser,
    twin: &RedisUser,
) -> RedisResult<Standing> {
    let Some(found) = look(connection, user).await? else {
        return Ok(Standing::Missing);
    };
    let Some(wanted) = look(connection, twin).await? else {
        return Ok(Standing::Hidden(
            "what was made just now is gone".to_owned(),
        ));
    };
    let rights = ["flags", "commands", "keys", "channels", "selectors"];
    let is_alike = rights
        .iter()
        .all(|part| found.get(*part) == wanted.get(*part));
    let known: Vec<String> = match found.get("passwords") {
        Some(passwords) => redis::from_redis_value(passwords.clone())?,
        None => Vec::new(),
    };
    Ok(if is_alike && known == [hex::encode(&user.password_hash)] {
        Standing::AsItShould
    } else {
        Standing::Differs
    })
}

async fn look(
    connection: &mut impl ConnectionLike,
    user: &RedisUser,
) -> RedisResult<Option<HashMap<String, Value>>> {
    let mut command = redis::cmd("ACL");
    command.arg("GETUSER").arg(&user.name);
    command.query_async(connection).await
}

/// Whether Redis answered, and said no.
fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// Removes a user and ends its connections.
///
/// # Errors
/// When Redis does not answer, or does not let us.
pub async fn remove(connection: &mut impl ConnectionLike, user: &RedisUser) -> RedisResult<()> {
    let _: u64 = redis::cmd("ACL")
        .arg("DELUSER")
        .arg(&user.name)
        .query_async(connection)
        .await?;
    Ok(())
}
