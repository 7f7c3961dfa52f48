//! Trying an app's way into Redis: that Redis answers, that it knows the app's user with exactly its rights, and that what is
//! published on the app's channels is heard. The password is kept nowhere, so signing in by it is tried only where its
//! owner brings it.

use std::{future::Future, time::Duration};

use ::cable::fanout::redis::Address;
use futures_util::StreamExt as _;
use redis::{RedisError, RedisResult, aio::ConnectionManager};
use tokio::time::timeout;

use super::{
    model::Site,
    redis_acl::{self, Standing},
    redis_user::RedisUser,
};
use crate::platform::{
    clock::Moment,
    redis::connect,
    secret::{self, Secret},
};

/// What listeners are sent.
pub const MESSAGE: &str = r#"{"status":"test"}"#;

/// Longest wait for signing in, and for hearing what was published.
const PATIENCE: Duration = Duration::from_secs(3);

/// How good what was found is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Perhaps as it is meant to be.
    Mind,
    /// It keeps a backend from listening.
    Wrong,
}

/// Something that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How good it is.
    pub verdict: Verdict,
    /// In a sentence, with what to do.
    pub told: String,
}

fn found(verdict: Verdict, told: impl Into<String>) -> Found {
    Found {
        verdict,
        told: told.into(),
    }
}

/// Whose way is tried.
pub struct Whose<'a> {
    /// The app.
    pub site: &'a Site,
    /// Its user, if it has one.
    pub user: Option<&'a RedisUser>,
    /// What its owner says is that user's password.
    pub password: Option<&'a Secret>,
}

/// Tries the way of an app's backend into the Redis at this address, as far as it leads.
pub async fn try_out(url: &str, whose: Whose<'_>, now: Moment) -> Vec<Found> {
    let (address, mut connection) = match (url.parse::<Address>(), connect(url)) {
        (Ok(address), Ok(connection)) => (address, connection),
        _ => {
            return vec![found(
                Verdict::Wrong,
                "The server has no address of a Redis.",
            )];
        }
    };
    let pinged: RedisResult<String> = redis::cmd("PING").query_async(&mut connection).await;
    if let Err(error) = pinged {
        return vec![unanswered(&error)];
    }
    let mut all = vec![found(Verdict::Fine, "Redis answers the server.")];
    let Whose { site, user, .. } = whose;
    let user = match user {
        _ if !site.is_enabled() => {
            Err("The app is off. Its user is taken out of Redis until it is on again.")
        }
        None => Err("The app has no user in Redis yet. Make one."),
        Some(user) if user.is_over(now) => Err("The user’s password has ended. Make another one."),
        Some(user) => Ok(user),
    };
    match user {
        Err(why) => all.push(found(Verdict::Wrong, why)),
        Ok(user) => {
            all.push(rights(&mut connection, user, site).await);
            all.push(listeners(&mut connection, site).await);
            if let Some(password) = whose.password {
                all.push(sign_in(address, &mut connection, (user, password), site).await);
            }
        }
    }
    all
}

fn unanswered(error: &RedisError) -> Found {
    let told = format!(
        "Redis does not answer the server as it should: {error}. Whoever runs the server looks after it."
    );
    found(Verdict::Wrong, told)
}

/// Whether Redis knows the user as it should be.
async fn rights(connection: &mut ConnectionManager, user: &RedisUser, site: &Site) -> Found {
    let (name, prefix) = (&user.name, &site.channel_prefix);
    let standing = match redis_acl::standing(connection, user, prefix).await {
        Ok(standing) => standing,
        Err(error) => return unanswered(&error),
    };
    let soon = "A running server mends that within ten seconds: test again then.";
    match standing {
        Standing::AsItShould => found(
            Verdict::Fine,
            format!(
                "Redis knows {name}, with its password in force, for listening to {prefix}:* and nothing else."
            ),
        ),
        Standing::Missing => found(
            Verdict::Wrong,
            format!("Redis does not know {name}. {soon}"),
        ),
        Standing::Differs => found(
            Verdict::Wrong,
            format!("{name} has another password or other rights in Redis than it should. {soon}"),
        ),
        Standing::Hidden(why) => found(
            Verdict::Mind,
            format!(
                "Redis does not let the server look at its users ({why}): allow it +acl|getuser."
            ),
        ),
    }
}

/// Signs in as the app's backend does, and listens to what the server publishes.
async fn sign_in(
    address: Address,
    server: &mut ConnectionManager,
    (user, password): (&RedisUser, &Secret),
    site: &Site,
) -> Found {
    if !secret::same(&password.hash(), &user.password_hash) {
        let told = "This is not the password in force. If yours is lost, make another one; the old one ends at once.";
        return found(Verdict::Wrong, told);
    }
    let prefix = &site.channel_prefix;
    let listening = patiently(async {
        let client = address.as_user(&user.name, password.reveal()).client()?;
        let mut listening = client.get_async_pubsub().await?;
        listening.psubscribe(format!("{prefix}:*")).await?;
        Ok(listening)
    });
    let mut listening = match listening.await {
        Some(Ok(listening)) => listening,
        Some(Err(error)) => {
            let told = format!(
                "{} cannot sign in and listen by this password: {error}.",
                user.name
            );
            return found(Verdict::Wrong, told);
        }
        None => return found(Verdict::Wrong, "Redis does not answer who signs in."),
    };
    let published = publish(server, prefix).await;
    let heard = patiently(async {
        let mut messages = listening.on_message();
        while let Some(message) = messages.next().await {
            if message.get_payload::<String>()? == MESSAGE {
                return Ok(true);
            }
        }
        Ok(false)
    });
    match (published, heard.await) {
        (Ok(_), Some(Ok(true))) => found(
            Verdict::Fine,
            format!(
                "By this password {} signs in, and hears what is published on {prefix}:*.",
                user.name
            ),
        ),
        (Err(error), _) | (_, Some(Err(error))) => unanswered(&error),
        _ => found(
            Verdict::Wrong,
            format!("{} signs in, but hears nothing.", user.name),
        ),
    }
}

/// How many listen to all of the app's channels.
async fn listeners(connection: &mut ConnectionManager, site: &Site) -> Found {
    let prefix = &site.channel_prefix;
    match publish(connection, prefix).await {
        Err(error) => unanswered(&error),
        Ok(0) => found(
            Verdict::Mind,
            format!(
                "Nobody listens to {prefix}:* now. (Who listens to single channels is not seen.)"
            ),
        ),
        Ok(1) => found(
            Verdict::Fine,
            format!("One connection listens to {prefix}:* now, and was sent {MESSAGE}."),
        ),
        Ok(count) => found(
            Verdict::Fine,
            format!("{count} connections listen to {prefix}:* now, and were sent {MESSAGE}."),
        ),
    }
}

/// Publishes a message that tells of nothing on a channel of the app's; how many were sent it.
async fn publish(connection: &mut ConnectionManager, prefix: &str) -> RedisResult<u64> {
    let mut command = redis::cmd("PUBLISH");
    command.arg(format!("{prefix}:test")).arg(MESSAGE);
    command.query_async(connection).await
}

async fn patiently<T>(work: impl Future<Output = RedisResult<T>>) -> Option<RedisResult<T>> {
    timeout(PATIENCE, work).await.ok()
}
