//! Sites' users in Redis: what they may do, and that it is nothing else (Redis' ACLs, version 6.2
//! and later).

use redis::{ErrorKind, RedisResult, aio::ConnectionLike};

use crate::{platform::secret::public_name, site::RedisUser};

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
        Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => Ok(()),
        answer => answer,
    }
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
